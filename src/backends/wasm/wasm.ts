import type { BatchPlan, ImageSet } from '../../images.ts';
import {
  type Activation,
  type Backend,
  type BackendInfo,
  type DType,
  expectShape,
  type MatmulOptions,
  type Precision,
  type Shape,
  ShapeError,
  type Sink,
  sizeOf,
  type Tensor,
} from '../backend.ts';
import type { Device } from './device.ts';
import { ImageStore } from './image-store.ts';
import type { Arguments } from './kernels/kernel.ts';
import {
  ACTIVATION_CODE,
  CHUNK,
  CHUNK_BYTES,
  type SINK_PARAMETERS,
  SUM_COLUMNS_PER_TASK,
} from './kernels/pointwise.ts';
import { pixelRowBytes } from './kernels/products/pack.ts';
import { PANEL } from './kernels/products/tile.ts';
import type { KERNELS } from './module.ts';
import { Products } from './products.ts';
import { asWasmTensor, WasmTensor } from './tensor.ts';
import { readValues, writeValues } from './values.ts';

/** The maximum number of groups of four rows per task of a loss. */
const MAX_LOSS_GROUPS = 4;

/** The fast backend: WebAssembly SIMD kernels on several threads, in float32 or, for products with pixels, in int16. */
export class WasmBackend implements Backend {
  readonly name = 'wasm';
  readonly dtype = 'float32';
  readonly precision: Precision;
  readonly info: BackendInfo;
  readonly #device: Device;
  readonly products: Products;
  readonly #images: ImageStore;

  constructor(device: Device, info: BackendInfo) {
    this.precision = device.precision;
    this.info = info;
    this.#device = device;
    this.products = new Products(device);
    this.#images = new ImageStore(device);
  }

  close(): void {
    this.#device.close();
  }

  allocate(shape: Shape, dtype: DType = 'float32'): Tensor {
    if (dtype === 'float64') throw new TypeError('the wasm backend has no float64; use the reference backend');
    if (dtype === 'pixel' && (shape.length !== 2 || shape[1] % PANEL !== 0)) {
      throw new ShapeError(`a pixel tensor has shape [images, a multiple of ${PANEL}], got [${shape.join(', ')}]`);
    }
    const bytes = this.#device.isPixelBytes(dtype)
      ? shape[0] * pixelRowBytes(shape[1])
      : sizeOf(shape) * (dtype === 'label' ? 1 : 4);
    return new WasmTensor(shape, dtype, { address: this.#device.memory.allocate(bytes), version: 0 });
  }

  imageSet(count: number): ImageSet {
    return this.#images.imageSet(count);
  }

  view(tensor: Tensor, rows: number): Tensor {
    return asWasmTensor(tensor).view(rows);
  }

  write(tensor: Tensor, values: ArrayLike<number>): void {
    writeValues(this.#device, tensor, values);
  }

  async read(tensor: Tensor): Promise<Float32Array> {
    return readValues(this.#device, tensor);
  }

  loadBatch(source: ImageSet, plan: BatchPlan, images: Tensor, labels: Tensor): void {
    this.#images.loadBatch(source, plan, images, labels);
  }

  matmul(a: Tensor, b: Tensor, into: Sink, options: MatmulOptions = {}): void {
    this.products.multiply(a, b, into, options);
  }

  sumRows(x: Tensor, into: Sink): void {
    const [rows, columns] = x.shape;
    const address = this.#device.address(x);
    const sink = this.#toSink([columns], into);
    this.#device.run('sumRows', Math.ceil(columns / SUM_COLUMNS_PER_TASK), { ...sink, x: address, rows });
  }

  add(a: Tensor, b: Tensor, into: Sink): void {
    expectShape('the second term', b.shape, a.shape);
    this.#elementwise('add', a.shape, into, { a: this.#device.address(a), b: this.#device.address(b) });
  }

  scale(x: Tensor, factor: number, by: Tensor, into: Sink): void {
    this.#elementwise('scale', x.shape, into, { x: this.#device.address(x), factor: factor * this.#scalar(by) });
  }

  sumSquares(x: Tensor, factor: number, into: Tensor): void {
    const count = asWasmTensor(x).size;
    const tasks = Math.ceil(count / CHUNK);
    const sums = this.#device.scratch('partial', 4 * tasks);
    this.#device.run('sumSquares', tasks, { x: this.#device.address(x), count, sums });
    this.#setScalar(into, factor * this.#sumFloats(sums, tasks));
  }

  activation(kind: Activation, x: Tensor, into: Tensor): void {
    expectShape('the result', into.shape, x.shape);
    const count = asWasmTensor(x).size;
    const operands = {
      kind: ACTIVATION_CODE[kind],
      x: this.#device.address(x),
      target: this.#device.address(into),
      count,
    };
    this.#device.changed(into);
    this.#device.run('activation', Math.ceil(count / CHUNK), operands);
  }

  activationDerivative(kind: Activation, y: Tensor, upstream: Tensor, into: Sink): void {
    expectShape('upstream', upstream.shape, y.shape);
    const operands = {
      kind: ACTIVATION_CODE[kind],
      y: this.#device.address(y),
      upstream: this.#device.address(upstream),
    };
    this.#elementwise('activationDerivative', y.shape, into, operands);
  }

  dropout(x: Tensor, rate: number, key: number, into: Sink): void {
    const threshold = Math.ceil(rate * 2 ** 32);
    this.#elementwise('dropout', x.shape, into, { x: this.#device.address(x), key, threshold, factor: 1 / (1 - rate) });
  }

  softmaxCrossEntropy(logits: Tensor, labels: Tensor, labelSmoothing: number, into: Tensor): void {
    const { tasks, losses, ...rows } = this.#lossArguments(logits, labels);
    this.#device.run('softmaxCrossEntropy', tasks, { ...rows, smoothing: labelSmoothing, losses });
    this.#setScalar(into, this.#sumFloats(losses, rows.rows) / rows.rows);
  }

  softmaxCrossEntropyDerivative(
    logits: Tensor,
    labels: Tensor,
    labelSmoothing: number,
    upstream: Tensor,
    into: Sink,
  ): void {
    const { tasks, losses: _, ...rows } = this.#lossArguments(logits, labels);
    const factor = this.#scalar(upstream) / rows.rows;
    const sink = this.#toSink(logits.shape, into, rows.classes);
    this.#device.run('softmaxCrossEntropyDerivative', tasks, { ...rows, ...sink, smoothing: labelSmoothing, factor });
  }

  hinge(logits: Tensor, labels: Tensor, into: Tensor): void {
    const { tasks, losses, ...rows } = this.#lossArguments(logits, labels);
    this.#device.run('hinge', tasks, { ...rows, losses });
    this.#setScalar(into, this.#sumFloats(losses, rows.rows) / rows.rows);
  }

  hingeDerivative(logits: Tensor, labels: Tensor, upstream: Tensor, into: Sink): void {
    const { tasks, losses: _, ...rows } = this.#lossArguments(logits, labels);
    const factor = this.#scalar(upstream) / rows.rows;
    const sink = this.#toSink(logits.shape, into, rows.classes);
    this.#device.run('hingeDerivative', tasks, { ...rows, ...sink, factor });
  }

  countCorrect(logits: Tensor, labels: Tensor, into: Tensor): void {
    const { tasks, losses: hits, ...rows } = this.#lossArguments(logits, labels);
    this.#device.run('countCorrect', tasks, { ...rows, hits });
    this.#setScalar(into, this.#sumFloats(hits, rows.rows));
  }

  deliver(gradient: Tensor, into: Sink): void {
    this.#elementwise('deliver', gradient.shape, into, { x: this.#device.address(gradient) });
  }

  #elementwise<Name extends 'add' | 'scale' | 'deliver' | 'activationDerivative' | 'dropout'>(
    name: Name,
    shape: Shape,
    into: Sink,
    operands: Omit<Arguments<(typeof KERNELS)[Name]['parameters']>, keyof typeof SINK_PARAMETERS>,
  ): void {
    const sink = this.#toSink(shape, into);
    const args = { ...operands, ...sink } as unknown as Arguments<(typeof KERNELS)[Name]['parameters']>;
    this.#device.run(name, Math.ceil(sink.count / CHUNK), args);
  }

  /** The arguments of a kernel that sends its result to a sink. @param rowLength the length of the rows that the kernel
   *  buffers in groups of four; 0 if it buffers chunks. */
  #toSink(shape: Shape, into: Sink, rowLength = 0) {
    expectShape('the destination', into.tensor.shape, shape);
    const bufferBytes = Math.max(CHUNK_BYTES, 16 * rowLength);
    const buffer = this.#device.scratch('buffer', bufferBytes * this.#device.threads);
    return { count: sizeOf(shape), buffer, bufferBytes, sink: this.#device.writeSink(into) };
  }

  /** The arguments that the kernels of losses.ts share. */
  #lossArguments(logits: Tensor, labels: Tensor) {
    expectShape('labels', labels.shape, logits.shape.slice(0, 1));
    const [rows, classes] = logits.shape;
    const groups = Math.max(1, Math.min(MAX_LOSS_GROUPS, Math.floor(CHUNK / (4 * classes))));
    return {
      logits: this.#device.address(logits),
      labels: asWasmTensor(labels).storage.address,
      rows,
      classes,
      groups,
      tasks: Math.ceil(rows / (4 * groups)),
      // Rounded up, because the kernels write four rows at a time.
      losses: this.#device.scratch('partial', 4 * (rows + 3)),
    };
  }

  #scalar(tensor: Tensor): number {
    expectShape('the scalar', tensor.shape, []);
    return this.#device.memory.floats[this.#device.address(tensor) >>> 2];
  }

  #setScalar(tensor: Tensor, value: number): void {
    expectShape('the scalar', tensor.shape, []);
    this.#device.memory.floats[this.#device.address(this.#device.changed(tensor)) >>> 2] = value;
  }

  /** Sum of `count` floats at an address, in float64 and in order. */
  #sumFloats(address: number, count: number): number {
    let sum = 0;
    for (const value of this.#device.floats(address, count)) sum += value;
    return sum;
  }
}
