import { allocateImageSet, type BatchPlan, type ImageSet } from '../../images.ts';
import { loadBatch } from '../augmentation.ts';
import {
  type Activation,
  type BackendInfo,
  type DType,
  type ElementwiseBackend,
  expectShape,
  type MatmulOptions,
  type Precision,
  pixelOf,
  type Shape,
  type Sink,
  sizeOf,
  type Tensor,
} from '../backend.ts';
import { expectBatch, matrixShape, productShape } from '../checks.ts';
import { update } from '../update-rules.ts';
import { int16Product } from './int16.ts';
import * as losses from './losses.ts';
import { type Matrix, matmul, transpose } from './matmul.ts';
import * as pointwise from './pointwise.ts';
import { allocate, type Values, valuesOf, view } from './tensor.ts';

/** The oracle that other backends are tested against: every operation as plain loops, in the order of its formula.
 *
 *  Values are float32 or float64; sums are computed in float64 and rounded once, when stored. */
export class ReferenceBackend implements ElementwiseBackend {
  readonly name = 'reference';
  readonly dtype: 'float32' | 'float64';
  readonly precision: Precision;
  readonly info: BackendInfo;
  readonly #scratch = new Map<number, Values>();

  /** @param precision of products with pixels; float32 is full precision, in either dtype. @param notes for `info`.
   *  @throws TypeError for precision int16 with dtype float64. */
  constructor(
    dtype: 'float32' | 'float64' = 'float32',
    precision: Precision = 'float32',
    notes: readonly string[] = [],
  ) {
    if (dtype === 'float64' && precision === 'int16')
      throw new TypeError('precision int16 needs dtype float32, got float64');
    this.dtype = dtype;
    this.precision = precision;
    this.info = { threads: 1, vectorBits: 0, fma: false, flags: [], notes };
  }

  allocate(shape: Shape, dtype: DType = this.dtype): Tensor {
    return allocate(shape, dtype);
  }

  view(tensor: Tensor, rows: number): Tensor {
    return view(tensor, rows);
  }

  write(tensor: Tensor, values: ArrayLike<number>): void {
    expectShape('the array', [values.length], [sizeOf(tensor.shape)]);
    if (tensor.dtype === 'pixel') Array.from(values, pixelOf);
    valuesOf(tensor).set(values);
  }

  async read(tensor: Tensor): Promise<Float32Array | Float64Array> {
    const values = valuesOf(tensor);
    return values instanceof Uint8Array ? Float32Array.from(values) : values.slice();
  }

  imageSet(count: number): ImageSet {
    return allocateImageSet(count);
  }

  loadBatch(source: ImageSet, plan: BatchPlan, images: Tensor, labels: Tensor): void {
    expectBatch(source, plan, images, labels);
    loadBatch(source, plan, valuesOf(images), valuesOf(labels));
  }

  matmul(a: Tensor, b: Tensor, into: Sink, options: MatmulOptions = {}): void {
    const shape = productShape(a, b, options, this.precision);
    const [left, right] = [matrix(a, options.transposeA), matrix(b, options.transposeB)];
    const bias = options.bias && valuesOf(options.bias);
    const isPixels = ({ dtype }: Tensor) => this.precision === 'int16' && dtype === 'pixel';
    const product = isPixels(a) || isPixels(b) ? int16Product(isPixels(a) ? 'left' : 'right') : matmul;
    this.#writeResult(shape, into, (target) => product(left, right, bias, target));
  }

  sumRows(x: Tensor, into: Sink): void {
    const [M, N] = x.shape;
    const values = valuesOf(x);
    this.#writeResult([N], into, (target) => {
      for (let j = 0; j < N; j++) {
        let sum = 0;
        for (let i = 0; i < M; i++) sum += values[i * N + j];
        target[j] = sum;
      }
    });
  }

  add(a: Tensor, b: Tensor, into: Sink): void {
    expectShape('the second term', b.shape, a.shape);
    const [left, right] = [valuesOf(a), valuesOf(b)];
    this.#writeResult(a.shape, into, (target) => {
      for (let i = 0; i < target.length; i++) target[i] = left[i] + right[i];
    });
  }

  scale(x: Tensor, factor: number, by: Tensor, into: Sink): void {
    const scale = factor * scalar(by);
    const values = valuesOf(x);
    this.#writeResult(x.shape, into, (target) => {
      for (let i = 0; i < target.length; i++) target[i] = scale * values[i];
    });
  }

  sumSquares(x: Tensor, factor: number, into: Tensor): void {
    let sum = 0;
    for (const value of valuesOf(x)) sum += value * value;
    setScalar(into, factor * sum);
  }

  activation(kind: Activation, x: Tensor, into: Tensor): void {
    expectShape('the result', into.shape, x.shape);
    pointwise.activation(kind, valuesOf(x), valuesOf(into));
  }

  activationDerivative(kind: Activation, y: Tensor, upstream: Tensor, into: Sink): void {
    expectShape('upstream', upstream.shape, y.shape);
    this.#writeResult(y.shape, into, (target) =>
      pointwise.activationDerivative(kind, valuesOf(y), valuesOf(upstream), target),
    );
  }

  dropout(x: Tensor, rate: number, key: number, into: Sink): void {
    this.#writeResult(x.shape, into, (target) => pointwise.dropout(valuesOf(x), rate, key, target));
  }

  softmaxCrossEntropy(logits: Tensor, labels: Tensor, labelSmoothing: number, into: Tensor): void {
    expectShape('labels', labels.shape, logits.shape.slice(0, 1));
    setScalar(into, losses.softmaxCrossEntropy(valuesOf(logits), valuesOf(labels), labelSmoothing));
  }

  softmaxCrossEntropyDerivative(
    logits: Tensor,
    labels: Tensor,
    labelSmoothing: number,
    upstream: Tensor,
    into: Sink,
  ): void {
    expectShape('labels', labels.shape, logits.shape.slice(0, 1));
    const [scores, classes, by] = [valuesOf(logits), valuesOf(labels), scalar(upstream)];
    this.#writeResult(logits.shape, into, (target) =>
      losses.softmaxCrossEntropyDerivative(scores, classes, labelSmoothing, by, target),
    );
  }

  hinge(logits: Tensor, labels: Tensor, into: Tensor): void {
    expectShape('labels', labels.shape, logits.shape.slice(0, 1));
    setScalar(into, losses.hinge(valuesOf(logits), valuesOf(labels)));
  }

  hingeDerivative(logits: Tensor, labels: Tensor, upstream: Tensor, into: Sink): void {
    expectShape('labels', labels.shape, logits.shape.slice(0, 1));
    const [scores, classes, by] = [valuesOf(logits), valuesOf(labels), scalar(upstream)];
    this.#writeResult(logits.shape, into, (target) => losses.hingeDerivative(scores, classes, by, target));
  }

  countCorrect(logits: Tensor, labels: Tensor, into: Tensor): void {
    expectShape('labels', labels.shape, logits.shape.slice(0, 1));
    setScalar(into, losses.countCorrect(valuesOf(logits), valuesOf(labels)));
  }

  deliver(gradient: Tensor, into: Sink): void {
    this.#writeResult(gradient.shape, into, (target) => target.set(valuesOf(gradient)));
  }

  elementwise(f: (...values: number[]) => number, operands: readonly Tensor[], into: Sink): void {
    const { shape } = into.tensor;
    for (const [i, operand] of operands.entries()) {
      if (operand.shape.length > 0) expectShape(`operand ${i + 1}`, operand.shape, shape);
    }
    const arrays = operands.map(valuesOf);
    this.#writeResult(shape, into, (target) => {
      for (let i = 0; i < target.length; i++) target[i] = f(...arrays.map((x) => x[x.length === 1 ? 0 : i]));
    });
  }

  sum(x: Tensor, into: Sink): void {
    let sum = 0;
    for (const value of valuesOf(x)) sum += value;
    this.#writeResult([], into, (target) => target.fill(sum));
  }

  transpose(x: Tensor, into: Sink): void {
    const { values, rows, columns } = matrix(x);
    this.#writeResult([columns, rows], into, (target) => target.set(transpose(values, rows, columns)));
  }

  close(): void {}

  /** Computes a result of the given shape and sends it to the sink. It is rounded to the backend's dtype first, so that
   *  storing, adding and updating see the same bits. */
  #writeResult(shape: Shape, into: Sink, compute: (target: Values) => void): void {
    const target = valuesOf(into.tensor);
    expectShape('the destination', into.tensor.shape, shape);
    if (into.kind === 'store') {
      compute(target);
      return;
    }
    const result = this.#scratchArray(sizeOf(shape));
    compute(result);
    if (into.kind === 'update') update(into.rule, target, result, into.state.map(valuesOf));
    else for (let i = 0; i < target.length; i++) target[i] += result[i];
  }

  #scratchArray(length: number): Values {
    let scratch = this.#scratch.get(length);
    if (!scratch) {
      scratch = valuesOf(this.allocate([length]));
      this.#scratch.set(length, scratch);
    }
    return scratch;
  }
}

function matrix(tensor: Tensor, transposed = false): Matrix {
  const [rows, columns] = matrixShape(tensor, transposed);
  return { values: valuesOf(tensor), rows, columns, transposed };
}

function scalar(tensor: Tensor): number {
  expectShape('the scalar', tensor.shape, []);
  return valuesOf(tensor)[0];
}

function setScalar(tensor: Tensor, value: number): void {
  expectShape('the scalar', tensor.shape, []);
  valuesOf(tensor)[0] = value;
}
