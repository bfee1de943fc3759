import {
  allocateSharedImageSet,
  type BatchPlan,
  type ImageSet,
  type ReceptiveFields,
  shareableImages,
} from '../../images.ts';
import { loadBatch } from '../augmentation.ts';
import {
  type Activation,
  type BackendInfo,
  type DType,
  type ElementwiseBackend,
  expectShape,
  type MatmulOptions,
  type NewtonSchulz,
  type Precision,
  pixelOf,
  type Shape,
  type SharedBackend,
  type Sink,
  sizeOf,
  type Tensor,
} from '../backend.ts';
import { expectBatch, expectFields, expectSquares, productShape } from '../checks.ts';
import { roundingOf } from '../integers.ts';
import { newtonSchulzByProducts } from '../newton-schulz.ts';
import { crop } from './crop.ts';
import { multiplyGroups } from './groups.ts';
import * as losses from './losses.ts';
import { matmul, matrix, symmetricMatmul, transpose } from './matmul.ts';
import { multiBias, multiBiasDerivative, sumRowsWherePositive } from './multi-bias.ts';
import { pixelProduct } from './pixel-product.ts';
import * as pointwise from './pointwise.ts';
import { Results } from './result.ts';
import { allocate, scalar, setScalar, valuesOf, view } from './tensor.ts';

/** A reference backend as others are opened from it. */
export interface ReferenceShared extends SharedBackend {
  readonly name: 'reference';
  readonly dtype: 'float32' | 'float64';
  readonly notes: readonly string[];
}

/** The oracle that other backends are tested against: every operation as plain loops, in the order of its formula.
 *
 *  Values are float32 or float64; sums are computed in float64 and rounded once, when stored. */
export class ReferenceBackend implements ElementwiseBackend {
  readonly name = 'reference';
  readonly dtype: 'float32' | 'float64';
  readonly precision: Precision;
  readonly info: BackendInfo;
  readonly #results: Results;

  /** @param precision of products with pixels; float32 is full precision, in either dtype. @param notes for `info`.
   *  @throws TypeError for an integer precision with dtype float64. */
  constructor(
    dtype: 'float32' | 'float64' = 'float32',
    precision: Precision = 'float32',
    notes: readonly string[] = [],
  ) {
    if (dtype === 'float64' && precision !== 'float32')
      throw new TypeError(`precision ${precision} needs dtype float32, got float64`);
    this.dtype = dtype;
    this.precision = precision;
    this.info = { threads: 1, vectorBits: 0, fma: false, flags: [], notes };
    this.#results = new Results(dtype);
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
    return allocateSharedImageSet(count);
  }

  loadBatch(source: ImageSet, plan: BatchPlan, images: Tensor, labels: Tensor): void {
    expectBatch(source, plan, images, labels);
    loadBatch(source, plan, valuesOf(images), valuesOf(labels));
  }

  crop(images: Tensor, fields: ReceptiveFields, into: Tensor): void {
    expectFields(images, fields, into);
    crop(valuesOf(images), fields, valuesOf(into));
  }

  matmul(a: Tensor, b: Tensor, into: Sink, options: MatmulOptions = {}): void {
    const shape = productShape(a, b, options, this.precision);
    const { transposeA = false, transposeB = false, groups, symmetric = false } = options;
    const bias = options.bias && valuesOf(options.bias);
    const product =
      pixelProduct(a, b, roundingOf(this.precision, options.exact)) ?? (symmetric ? symmetricMatmul : matmul);
    const operands = [
      { tensor: a, transposed: transposeA },
      { tensor: b, transposed: transposeB },
    ] as const;
    this.#results.write(shape, into, (target) => {
      if (groups) multiplyGroups(product, operands, { groups, bias, target });
      else product(matrix(a, transposeA), matrix(b, transposeB), bias, target);
    });
  }

  sumRows(x: Tensor, into: Sink): void {
    this.#results.write(x.shape.slice(1), into, (target) => pointwise.sumRows(valuesOf(x), target));
  }

  add(a: Tensor, b: Tensor, into: Sink): void {
    expectShape('the second term', b.shape, a.shape);
    const [left, right] = [valuesOf(a), valuesOf(b)];
    this.#results.write(a.shape, into, (target) => {
      for (let i = 0; i < target.length; i++) target[i] = left[i] + right[i];
    });
  }

  scale(x: Tensor, factor: number, by: Tensor, into: Sink): void {
    const scale = factor * scalar(by);
    const values = valuesOf(x);
    this.#results.write(x.shape, into, (target) => {
      for (let i = 0; i < target.length; i++) target[i] = scale * values[i];
    });
  }

  sumSquares(x: Tensor, factor: number, into: Tensor): void {
    setScalar(into, factor * pointwise.sumSquares(valuesOf(x)));
  }

  activation(kind: Activation, x: Tensor, into: Tensor): void {
    expectShape('the result', into.shape, x.shape);
    pointwise.activation(kind, valuesOf(x), valuesOf(into));
  }

  activationDerivative(kind: Activation, y: Tensor, upstream: Tensor, into: Sink): void {
    expectShape('upstream', upstream.shape, y.shape);
    this.#results.write(y.shape, into, (target) =>
      pointwise.activationDerivative(kind, valuesOf(y), valuesOf(upstream), target),
    );
  }

  multiBias(x: Tensor, bias: Tensor, into: Tensor): void {
    expectShape('the biases', bias.shape, [into.shape[1]]);
    multiBias({ x: valuesOf(x), y: valuesOf(into), shapes: [x.shape, into.shape] }, valuesOf(bias));
  }

  multiBiasDerivative(y: Tensor, upstream: Tensor, into: Sink): void {
    expectShape('upstream', upstream.shape, y.shape);
    const { shape } = into.tensor;
    this.#results.write(shape, into, (x) =>
      multiBiasDerivative({ x, y: valuesOf(y), shapes: [shape, y.shape] }, valuesOf(upstream)),
    );
  }

  sumRowsWherePositive(y: Tensor, upstream: Tensor, into: Sink): void {
    expectShape('upstream', upstream.shape, y.shape);
    this.#results.write(y.shape.slice(1), into, (sums) => sumRowsWherePositive(valuesOf(y), valuesOf(upstream), sums));
  }

  dropout(x: Tensor, rate: number, key: number, into: Sink): void {
    this.#results.write(x.shape, into, (target) => pointwise.dropout(valuesOf(x), rate, key, target));
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
    this.#results.write(logits.shape, into, (target) =>
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
    this.#results.write(logits.shape, into, (target) => losses.hingeDerivative(scores, classes, by, target));
  }

  countCorrect(logits: Tensor, labels: Tensor, into: Tensor): void {
    expectShape('labels', labels.shape, logits.shape.slice(0, 1));
    setScalar(into, losses.countCorrect(valuesOf(logits), valuesOf(labels)));
  }

  newtonSchulz(x: Tensor, count: number, iteration: NewtonSchulz, into: Tensor): void {
    expectSquares(x, count, into);
    const memory = { allocate: (_: string, shape: Shape) => this.allocate(shape), read: valuesOf, change: valuesOf };
    newtonSchulzByProducts(this, { x, count, iteration, into }, memory);
  }

  deliver(gradient: Tensor, into: Sink): void {
    this.#results.write(gradient.shape, into, (target) => target.set(valuesOf(gradient)));
  }

  elementwise(f: (...values: number[]) => number, operands: readonly Tensor[], into: Sink): void {
    const { shape } = into.tensor;
    for (const [i, operand] of operands.entries()) {
      if (operand.shape.length > 0) expectShape(`operand ${i + 1}`, operand.shape, shape);
    }
    const arrays = operands.map(valuesOf);
    this.#results.write(shape, into, (target) => {
      for (let i = 0; i < target.length; i++) target[i] = f(...arrays.map((x) => x[x.length === 1 ? 0 : i]));
    });
  }

  sum(x: Tensor, into: Sink): void {
    this.#results.write([], into, (target) => target.fill(pointwise.sum(valuesOf(x))));
  }

  transpose(x: Tensor, into: Sink): void {
    const { values, rows, columns } = matrix(x);
    this.#results.write([columns, rows], into, (target) => target.set(transpose(values, rows, columns)));
  }

  share(sets: readonly ImageSet[]): ReferenceShared {
    const { name, dtype, precision, info } = this;
    return { name, dtype, precision, notes: info.notes, sets: sets.map(shareableImages) };
  }

  reset(): void {}

  close(): void {}
}
