import type { BatchPlan, ImageSet, ReceptiveFields } from '../../images.ts';
import {
  type Activation,
  type Backend,
  type BackendInfo,
  type DType,
  type MatmulOptions,
  type NewtonSchulz,
  type Precision,
  type Shape,
  ShapeError,
  type SharedBackend,
  type Sink,
  sizeOf,
  type Tensor,
  type WritingSink,
} from '../backend.ts';
import { expectSquares } from '../checks.ts';
import type { Device } from './device.ts';
import { pixelRowBytes } from './kernels/products/pack-pixels.ts';
import { PANEL } from './kernels/products/tile.ts';
import type { Space } from './memory.ts';
import type { Program } from './module.ts';
import type { Engine } from './node/engine.ts';
import { ImageStore } from './operations/image-store.ts';
import { Losses } from './operations/losses.ts';
import { MultiBias } from './operations/multi-bias.ts';
import { newtonSchulz } from './operations/newton-schulz.ts';
import { Pointwise } from './operations/pointwise.ts';
import { Products } from './operations/products.ts';
import { readValues, writeValues } from './operations/values.ts';
import { asWasmTensor, WasmTensor } from './tensor.ts';

/** A wasm backend as others are opened from it. */
export interface WasmShared extends SharedBackend {
  readonly name: 'wasm';
  readonly engine: Engine;
  /** The memory that all of them use, and the tested kernels; undefined if threads cannot share memory. */
  readonly memory:
    | { readonly space: Space; readonly program: Program; readonly isWide: boolean; readonly usesBytes: boolean }
    | undefined;
}

/** The fast backend: WebAssembly SIMD kernels on several threads, in float32 or, for products with pixels, in integers. */
export class WasmBackend implements Backend {
  readonly name = 'wasm';
  readonly dtype = 'float32';
  readonly precision: Precision;
  readonly info: BackendInfo;
  readonly #device: Device;
  readonly #engine: Engine;
  readonly #program: Program;
  readonly products: Products;
  readonly #images: ImageStore;
  readonly #pointwise: Pointwise;
  readonly #multiBias: MultiBias;
  readonly #losses: Losses;

  constructor(device: Device, info: BackendInfo, { engine, program }: { engine: Engine; program: Program }) {
    this.precision = device.precision;
    this.info = info;
    this.#engine = engine;
    this.#program = program;
    this.#device = device;
    this.products = new Products(device);
    this.#images = new ImageStore(device);
    this.#pointwise = new Pointwise(device);
    this.#multiBias = new MultiBias(device);
    this.#losses = new Losses(device);
  }

  share(sets: readonly ImageSet[]): WasmShared {
    const { space } = this.#device.memory;
    const { isWide, usesBytes } = this.products;
    const memory = { space, program: this.#program, isWide, usesBytes };
    return {
      name: this.name,
      precision: this.precision,
      engine: this.#engine,
      sets: sets.map((set) => this.#images.share(set)),
      memory: space.limits.shared ? memory : undefined,
    };
  }

  /** Reads image sets where another backend has put them into the memory. */
  adopt(sets: readonly ImageSet[]): void {
    for (const set of sets) this.#images.adopt(set);
  }

  reset(): void {
    this.#device.reset();
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
    return new WasmTensor(shape, dtype, {
      address: this.#device.memory.allocate(bytes),
      lifetime: this.#device.lifetime,
      version: 0,
    });
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

  crop(images: Tensor, fields: ReceptiveFields, into: Tensor): void {
    this.#images.crop(images, fields, into);
  }

  matmul(a: Tensor, b: Tensor, into: Sink, options: MatmulOptions = {}): void {
    if (into.kind === 'multi-bias' && this.products.passesOn(a, b, into, options)) {
      this.products.multiplyThroughUnits(a, b, into);
    } else this.#send(into, (sink) => this.products.multiply(a, b, sink, options));
  }

  sumRows(x: Tensor, into: Sink): void {
    this.#send(into, (sink) => this.#pointwise.sumRows(x, sink));
  }

  add(a: Tensor, b: Tensor, into: Sink): void {
    this.#send(into, (sink) => this.#pointwise.add(a, b, sink));
  }

  scale(x: Tensor, factor: number, by: Tensor, into: Sink): void {
    this.#send(into, (sink) => this.#pointwise.scale(x, factor, by, sink));
  }

  sumSquares(x: Tensor, factor: number, into: Tensor): void {
    this.#pointwise.sumSquares(x, factor, into);
  }

  activation(kind: Activation, x: Tensor, into: Tensor): void {
    this.#pointwise.activation(kind, x, into);
  }

  activationDerivative(kind: Activation, y: Tensor, upstream: Tensor, into: Sink): void {
    this.#send(into, (sink) => this.#pointwise.activationDerivative(kind, y, upstream, sink));
  }

  multiBias(x: Tensor, bias: Tensor, into: Tensor): void {
    this.#multiBias.forward(x, bias, into);
  }

  multiBiasDerivative(y: Tensor, upstream: Tensor, into: Sink): void {
    this.#send(into, (sink) => this.#multiBias.derivative(y, upstream, sink));
  }

  sumRowsWherePositive(y: Tensor, upstream: Tensor, into: Sink): void {
    this.#send(into, (sink) => this.#pointwise.sumRowsWherePositive(y, upstream, sink));
  }

  dropout(x: Tensor, rate: number, key: number, into: Sink): void {
    this.#send(into, (sink) => this.#pointwise.dropout(x, rate, key, sink));
  }

  softmaxCrossEntropy(logits: Tensor, labels: Tensor, labelSmoothing: number, into: Tensor): void {
    this.#losses.softmaxCrossEntropy(logits, labels, labelSmoothing, into);
  }

  softmaxCrossEntropyDerivative(
    logits: Tensor,
    labels: Tensor,
    labelSmoothing: number,
    upstream: Tensor,
    into: Sink,
  ): void {
    this.#send(into, (sink) =>
      this.#losses.softmaxCrossEntropyDerivative(logits, labels, labelSmoothing, upstream, sink),
    );
  }

  hinge(logits: Tensor, labels: Tensor, into: Tensor): void {
    this.#losses.hinge(logits, labels, into);
  }

  hingeDerivative(logits: Tensor, labels: Tensor, upstream: Tensor, into: Sink): void {
    this.#send(into, (sink) => this.#losses.hingeDerivative(logits, labels, upstream, sink));
  }

  countCorrect(logits: Tensor, labels: Tensor, into: Tensor): void {
    this.#losses.countCorrect(logits, labels, into);
  }

  newtonSchulz(x: Tensor, count: number, iteration: NewtonSchulz, into: Tensor): void {
    expectSquares(x, count, into);
    newtonSchulz(this, this.#device, { x, count, iteration, into });
  }

  deliver(gradient: Tensor, into: Sink): void {
    this.#send(into, (sink) => this.#pointwise.deliver(gradient, sink));
  }

  /** Runs an operation with a sink that its kernel can write to. */
  #send(into: Sink, run: (into: WritingSink) => void): void {
    if (into.kind !== 'multi-bias') {
      run(into);
      return;
    }
    const upstream = this.#device.scratchTensor('upstream', into.tensor.shape);
    run({ kind: 'store', tensor: upstream });
    this.#multiBias.derivative(into.tensor, upstream, into.into.x);
    this.#pointwise.sumRowsWherePositive(into.tensor, upstream, into.into.bias);
  }
}
