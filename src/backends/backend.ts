/** The interface between the gates, which know no device, and the backends, which know no gradients.
 *
 *  Dimensions: N images in the dataset, B images in a batch, D = 3072 values per image, C = 10 classes. */

import type { BatchPlan, ImageSet, ReceptiveFields } from '../images.ts';
import type { UpdateRule } from './update-rules.ts';

/** The length of each axis; [] is a scalar. */
export type Shape = readonly number[];

/** `label` is a byte that holds a class, 0 to C − 1. `pixel` is the value (p − 128)/64 of a byte p; the length of a row of
 *  pixels is a multiple of 16, and only `loadBatch`, `matmul`, `view`, `write` and `read` accept pixels. */
export type DType = 'float32' | 'float64' | 'label' | 'pixel';

/** The arithmetic of matrix products with a pixel operand.
 *
 *  - `float32`: the same as in all other products.
 *  - `int16`: each vector w of the other operand is rounded to 16 bits, q = nearest(w · 32767/max|w|), and Σ q (p − 128) is
 *    summed exactly, in integers (see integers.ts). The result does not depend on the order of additions or on the
 *    width of the vectors.
 *  - `int8`: the same, rounded to 7 bits, q = nearest(w · 63/max|w|), but for products that ask to be `exact`. */
export type Precision = 'float32' | IntegerPrecision;
export type IntegerPrecision = 'int16' | 'int8';

/** A handle to values held by a backend. Only that backend knows how and where they are stored;
 *  `write` and `read` are the only ways in and out. */
export interface Tensor {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** The elementwise non-linearities φ. `leaky-relu` has slope 0.01 below zero. */
export type Activation = 'relu' | 'leaky-relu' | 'sigmoid' | 'tanh';

/** Destination of a result. A gradient can be stored, added to the tensor's values, turned into an in-place update of its
 *  parameter, or passed on through the gate that computed the value. All give a parameter the same bits. */
export type Sink = WritingSink | MultiBiasSink;

/** A sink that writes to the memory of its tensor. */
export type WritingSink =
  | { readonly kind: 'store'; readonly tensor: Tensor }
  | { readonly kind: 'add'; readonly tensor: Tensor }
  | {
      readonly kind: 'update';
      /** The parameter. */
      readonly tensor: Tensor;
      readonly rule: UpdateRule;
      /** State of the rule for this parameter; see update-rules.ts. */
      readonly state: readonly Tensor[];
    };

/** Takes the gradient of y = `multiBias`(x, bias), `tensor`, to that of x and of the biases, as `multiBiasDerivative` and
 *  `sumRowsWherePositive` do. The gradient of y, the largest of a network, need not be stored. */
export interface MultiBiasSink {
  readonly kind: 'multi-bias';
  /** y */
  readonly tensor: Tensor;
  readonly x: Tensor;
  readonly bias: Tensor;
  readonly into: Readonly<Record<'x' | 'bias', WritingSink>>;
}

/** Options of a matrix product A·B. */
export interface MatmulOptions {
  /** Use Aᵀ, for A stored as [K, M]. */
  readonly transposeA?: boolean;
  /** Use Bᵀ, for B stored as [N, K]. */
  readonly transposeB?: boolean;
  /** One value per column of the result, added to every row. */
  readonly bias?: Tensor;
  /** Multiplies group by group. */
  readonly groups?: Groups;
  /** For a product that is symmetric but for rounding: computes it on and above the diagonal, and copies that below. The
   *  operands are floats, and there is no bias. */
  readonly symmetric?: boolean;
  /** For scores that are reported, not trained on: precision int8 rounds as int16 does. */
  readonly exact?: boolean;
}

/** The arrangement of P matrices of equal shape in one tensor: one above the other, [P·rows, columns], or side by side,
 *  [rows, P·columns]. */
export type Arrangement = 'stacked' | 'beside';

/** P products, Aₚ · Bₚ. Transposes are those of each Aₚ and Bₚ. In an integer precision, each vector that is rounded must lie
 *  within one row or column of its tensor, and the rows of each group of pixels have a multiple of 16 values. */
export interface Groups {
  /** P */
  readonly count: number;
  readonly a: Arrangement;
  readonly b: Arrangement;
  readonly into: Arrangement;
}

/** The hardware features that a backend uses, for display and for the record of a run. */
export interface BackendInfo {
  readonly threads: number;
  /** Width of the SIMD vectors; 0 without SIMD. */
  readonly vectorBits: number;
  /** Whether multiply-add is fused, so that it rounds once instead of twice. */
  readonly fma: boolean;
  /** V8 flags that the backend set. */
  readonly flags: readonly string[];
  /** Reasons for anything unexpected, such as a fallback. */
  readonly notes: readonly string[];
}

/** A backend that others of the process can be opened from by `openShared`, each on its own thread, and image sets that all of
 *  them read. It can be posted to other threads, which copies none of the images. */
export interface SharedBackend {
  readonly name: Backend['name'];
  readonly precision: Precision;
  readonly sets: readonly ImageSet[];
}

/** The operations. Each only enqueues its work, in order; `read` waits for it. A result must not be one of its
 *  operands. Every operation checks its shapes first, and throws ShapeError if they do not match. */
export interface Backend {
  readonly name: 'wasm' | 'reference';
  /** The type of its values unless another one is requested. */
  readonly dtype: 'float32' | 'float64';
  readonly precision: Precision;
  readonly info: BackendInfo;

  /** Returns a new tensor of zeros, of the backend's dtype by default. */
  allocate(shape: Shape, dtype?: DType): Tensor;
  /** Returns the first `rows` rows of `tensor`: the same memory, not a copy. */
  view(tensor: Tensor, rows: number): Tensor;
  /** Sets all values, in row-major order. @throws ShapeError unless there is one for each element. */
  write(tensor: Tensor, values: ArrayLike<number>): void;
  /** Returns a copy of all values, in row-major order. */
  read(tensor: Tensor): Promise<Float32Array | Float64Array>;

  /** Allocates an image set that `loadBatch` reads without copying. `loadBatch` copies any other image set on first use;
   *  it must not change after that. */
  imageSet(count: number): ImageSet;
  /** Sets images [B, D] to (p − 128)/64 for the bytes p of the planned images, flipped and shifted, and labels [B]. */
  loadBatch(source: ImageSet, plan: BatchPlan, images: Tensor, labels: Tensor): void;

  /** The P receptive fields of each image, or of its mirror image, one after the other, each as K values by plane, row and column:
   *  [B, 3072] → [B, P·K]. */
  crop(images: Tensor, fields: ReceptiveFields, into: Tensor): void;

  /** A·B plus an optional bias, with A or B optionally transposed: [M, K] · [K, N] → [M, N]. */
  matmul(a: Tensor, b: Tensor, into: Sink, options?: MatmulOptions): void;
  /** Sum of the rows of x: [M, N] → [N]. */
  sumRows(x: Tensor, into: Sink): void;
  /** a + b, for a and b of the same shape. */
  add(a: Tensor, b: Tensor, into: Sink): void;
  /** factor · by · x, with a scalar tensor `by` of shape []. */
  scale(x: Tensor, factor: number, by: Tensor, into: Sink): void;
  /** factor · Σ xᵢ², a scalar. */
  sumSquares(x: Tensor, factor: number, into: Tensor): void;

  /** φ(x), of any shape. */
  activation(kind: Activation, x: Tensor, into: Tensor): void;
  /** upstream ⊙ φ′(x), computed from y = φ(x). */
  activationDerivative(kind: Activation, y: Tensor, upstream: Tensor, into: Sink): void;
  /** T units for each value: y = [y₁ … y_T] with y_t = max(0, ±x + b_t), where the sign is + for odd t and − for even t, and
   *  b = [b₁ … b_T]. x [B, M], bias [T·M] → [B, T·M]. A backend may compute y when it is first used, or never store it: x must
   *  not change before y is used for the last time. */
  multiBias(x: Tensor, bias: Tensor, into: Tensor): void;
  /** Σ_t ± (upstream ⊙ [y > 0])_t, with y of `multiBias`: [B, T·M] → [B, M]. */
  multiBiasDerivative(y: Tensor, upstream: Tensor, into: Sink): void;
  /** Sum of the rows of upstream ⊙ [y > 0]: [B, N] → [N]. */
  sumRowsWherePositive(y: Tensor, upstream: Tensor, into: Sink): void;
  /** x ⊙ mask/(1 − rate). Element i is kept if hash32(key + hash32(i)) ≥ rate · 2³²: the same key gives the same mask on
   *  every backend. */
  dropout(x: Tensor, rate: number, key: number, into: Sink): void;

  /** Mean over the batch of −Σ_c q_c log softmax(logits)_c, q = (1 − ε)·onehot(label) + ε/C; logits [B, C] → []. */
  softmaxCrossEntropy(logits: Tensor, labels: Tensor, labelSmoothing: number, into: Tensor): void;
  /** upstream · (softmax(logits) − q)/B, with a scalar upstream. */
  softmaxCrossEntropyDerivative(
    logits: Tensor,
    labels: Tensor,
    labelSmoothing: number,
    upstream: Tensor,
    into: Sink,
  ): void;
  /** Mean over the batch of Σ_{c ≠ label} max(0, s_c − s_label + 1); logits s [B, C] → []. */
  hinge(logits: Tensor, labels: Tensor, into: Tensor): void;
  /** upstream · ∂hinge/∂logits, with a scalar upstream; 0 at the kink. */
  hingeDerivative(logits: Tensor, labels: Tensor, upstream: Tensor, into: Sink): void;
  /** Number of rows of the logits whose (first) maximum is at the label: [B, C] → []. */
  countCorrect(logits: Tensor, labels: Tensor, into: Tensor): void;

  /** For each of `count` stacked symmetric matrices A [M, M] with eigenvalues ≥ 0, roughly A^(−½). With a bound of the eigenvalues
   *  s = min(max_i Σ_j |a_ij|, √Σ a_ij²), it begins with G = A/s and Z = I/√s, both 0 if s < 1e-30, and computes `steps` ≥ 1 times
   *  Q = a I + b G + c G², Z ← Q Z, G ← Q G Q. x [count·M, M] → Z [count·M, M]. */
  newtonSchulz(x: Tensor, count: number, iteration: NewtonSchulz, into: Tensor): void;

  /** Sends a stored gradient to a sink of the same shape. */
  deliver(gradient: Tensor, into: Sink): void;

  /** Lets other threads open backends like this one, which read the image sets without a copy. Sets that were not allocated
   *  by this backend are copied, once. */
  share(sets: readonly ImageSet[]): SharedBackend;
  /** Forgets all tensors, and frees their memory and that of temporary results. Image sets stay. */
  reset(): void;
  /** Releases resources other than memory, such as threads. */
  close(): void;
}

/** The coefficients a, b and c of a Newton–Schulz iteration, and the number of its steps. */
export interface NewtonSchulz {
  readonly coefficients: readonly [number, number, number];
  readonly steps: number;
}

/** A backend that can apply any JavaScript function elementwise: for graphs that are explained rather than trained. */
export interface ElementwiseBackend extends Backend {
  /** f(a, b, …), elementwise. Each operand has the shape of the result or is a scalar, which is broadcast. */
  elementwise(f: (...values: number[]) => number, operands: readonly Tensor[], into: Sink): void;
  /** Sum of all elements, a scalar. */
  sum(x: Tensor, into: Sink): void;
  /** xᵀ: [M, N] → [N, M]. */
  transpose(x: Tensor, into: Sink): void;
}

/** Shapes that an operation does not accept: a bug in the caller, never the user's fault. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

/** The number of elements of a tensor of this shape; 1 for the scalar shape []. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Whether a parameter is a weight (two dimensions or more) rather than a bias. Weights start at random and decay; biases
 *  start at 0 and do not. */
export function isWeight({ shape }: { readonly shape: Shape }): boolean {
  return shape.length > 1;
}

/** @throws ShapeError if `got` differs from `wanted`. */
export function expectShape(name: string, got: Shape, wanted: Shape): void {
  if (got.length !== wanted.length || got.some((length, axis) => length !== wanted[axis])) {
    throw new ShapeError(`${name} has shape [${got.join(', ')}], wanted [${wanted.join(', ')}]`);
  }
}

/** The byte p whose pixel value is (p − 128)/64. @throws RangeError if there is none. */
export function pixelOf(value: number): number {
  const p = value * 64 + 128;
  if (Number.isInteger(p) && p >= 0 && p <= 255) return p;
  throw new RangeError(`a pixel value is (p − 128)/64 with an integer p from 0 to 255, got ${value}`);
}
