import type { BatchPlan, ImageSet } from '../../images.ts';
import {
  type Activation,
  type Backend,
  type BackendInfo,
  type DType,
  expectShape,
  type MatmulOptions,
  type Precision,
  pixelOf,
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
import { own, type Storage, WasmTensor } from './tensor.ts';

/** Groups of four rows that one task of a loss takes, at most. */
const LOSS_GROUPS = 4;

/** SIMD kernels on all threads. Values are float32; where the precision is int16, products with pixels are exact. */
export class WasmBackend implements Backend {
  readonly name = 'wasm';
  readonly dtype = 'float32';
  readonly precision: Precision;
  readonly info: BackendInfo;
  readonly #device: Device;
  /** The matrix products. */
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
    if (dtype === 'float64') throw new TypeError('the wasm backend has no float64; take the reference backend');
    if (dtype === 'pixel' && (shape.length !== 2 || shape[1] % PANEL !== 0)) {
      throw new ShapeError(`pixels are [images, a multiple of ${PANEL}], got the shape [${shape.join(', ')}]`);
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
    return own(tensor).view(rows);
  }

  write(tensor: Tensor, values: ArrayLike<number>): void {
    const { size, dtype, shape, storage } = this.#device.changed(tensor);
    expectShape('the array', [values.length], [size]);
    if (dtype === 'pixel') Array.from(values, pixelOf);
    if (this.#device.isPixelBytes(dtype)) {
      const [rows, columns] = shape;
      for (let row = 0; row < rows; row++) {
        const target = this.#pixelRow(storage, row, columns);
        for (let i = 0; i < columns; i++) target[i] = 64 * values[row * columns + i];
      }
    } else if (dtype === 'label') this.#device.memory.bytes.set(values, storage.address);
    else this.#device.memory.floats.set(values, storage.address >>> 2);
  }

  async read(tensor: Tensor): Promise<Float32Array> {
    const { size, dtype, shape, storage } = own(tensor);
    if (dtype === 'label') {
      return Float32Array.from(this.#device.memory.bytes.subarray(storage.address, storage.address + size));
    }
    if (!this.#device.isPixelBytes(dtype)) return this.#device.floats(storage.address, size).slice();
    const [rows, columns] = shape;
    const values = new Float32Array(size);
    for (let row = 0; row < rows; row++) {
      values.set(this.#pixelRow(storage, row, columns), row * columns);
    }
    return values.map((value) => value / 64);
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
    const count = own(x).size;
    const tasks = Math.ceil(count / CHUNK);
    const sums = this.#device.scratch('partial', 4 * tasks);
    this.#device.run('sumSquares', tasks, { x: this.#device.address(x), count, sums });
    this.#setScalar(into, factor * this.#total(sums, tasks));
  }

  activation(kind: Activation, x: Tensor, into: Tensor): void {
    expectShape('the result', into.shape, x.shape);
    const count = own(x).size;
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
    const { tasks, losses, ...rows } = this.#rowsOf(logits, labels);
    this.#device.run('softmaxCrossEntropy', tasks, { ...rows, smoothing: labelSmoothing, losses });
    this.#setScalar(into, this.#total(losses, rows.rows) / rows.rows);
  }

  softmaxCrossEntropyDerivative(
    logits: Tensor,
    labels: Tensor,
    labelSmoothing: number,
    upstream: Tensor,
    into: Sink,
  ): void {
    const { tasks, losses: _, ...rows } = this.#rowsOf(logits, labels);
    const factor = this.#scalar(upstream) / rows.rows;
    const sink = this.#toSink(logits.shape, into, rows.classes);
    this.#device.run('softmaxCrossEntropyDerivative', tasks, { ...rows, ...sink, smoothing: labelSmoothing, factor });
  }

  hinge(logits: Tensor, labels: Tensor, into: Tensor): void {
    const { tasks, losses, ...rows } = this.#rowsOf(logits, labels);
    this.#device.run('hinge', tasks, { ...rows, losses });
    this.#setScalar(into, this.#total(losses, rows.rows) / rows.rows);
  }

  hingeDerivative(logits: Tensor, labels: Tensor, upstream: Tensor, into: Sink): void {
    const { tasks, losses: _, ...rows } = this.#rowsOf(logits, labels);
    const factor = this.#scalar(upstream) / rows.rows;
    const sink = this.#toSink(logits.shape, into, rows.classes);
    this.#device.run('hingeDerivative', tasks, { ...rows, ...sink, factor });
  }

  countCorrect(logits: Tensor, labels: Tensor, into: Tensor): void {
    const { tasks, losses: hits, ...rows } = this.#rowsOf(logits, labels);
    this.#device.run('countCorrect', tasks, { ...rows, hits });
    this.#setScalar(into, this.#total(hits, rows.rows));
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

  /** What a kernel needs that hands its result to a sink. @param least numbers that a thread's buffer has to hold in
   *  groups of four rows. */
  #toSink(shape: Shape, into: Sink, least = 0) {
    expectShape('the destination', into.tensor.shape, shape);
    const bufferBytes = Math.max(CHUNK_BYTES, 16 * least);
    const buffer = this.#device.scratch('buffer', bufferBytes * this.#device.threads);
    return { count: sizeOf(shape), buffer, bufferBytes, sink: this.#device.writeSink(into) };
  }

  /** Logits and labels as the kernels of losses.ts take them. */
  #rowsOf(logits: Tensor, labels: Tensor) {
    expectShape('labels', labels.shape, logits.shape.slice(0, 1));
    const [rows, classes] = logits.shape;
    const groups = Math.max(1, Math.min(LOSS_GROUPS, Math.floor(CHUNK / (4 * classes))));
    return {
      logits: this.#device.address(logits),
      labels: own(labels).storage.address,
      rows,
      classes,
      groups,
      tasks: Math.ceil(rows / (4 * groups)),
      // The kernels write four rows at a time.
      losses: this.#device.scratch('partial', 4 * (rows + 3)),
    };
  }

  #pixelRow({ address }: Storage, row: number, columns: number): Int8Array {
    return new Int8Array(this.#device.memory.bytes.buffer, address + row * pixelRowBytes(columns), columns);
  }

  #scalar(tensor: Tensor): number {
    expectShape('the scalar', tensor.shape, []);
    return this.#device.memory.floats[this.#device.address(tensor) >>> 2];
  }

  #setScalar(tensor: Tensor, value: number): void {
    expectShape('the scalar', tensor.shape, []);
    this.#device.memory.floats[this.#device.address(this.#device.changed(tensor)) >>> 2] = value;
  }

  /** The sum of some floats, in float64 and in their order. */
  #total(address: number, count: number): number {
    let sum = 0;
    for (const value of this.#device.floats(address, count)) sum += value;
    return sum;
  }
}
