/** The contract between the gates, which know no device, and the devices, which know no gradient.
 *
 *  Dimensions: N images of a dataset, B images of a batch, D = 3072 numbers of an image, C = 10 classes. */

import type { BatchPlan, ImageSet } from '../images.ts';

export type Shape = readonly number[];

/** `label` is a byte that holds a class, 0 to C − 1. `pixel` stands for (p − 128)/64 with a byte p; rows of pixels are a
 *  multiple of 16 long, and only `loadBatch`, products, `view`, `write` and `read` take them. */
export type DType = 'float32' | 'float64' | 'label' | 'pixel';

/** How products with pixels are computed.
 *
 *  - `float32`: as all other products.
 *  - `int16`: the vectors of the other operand that are multiplied with those of the pixels, w, are each rounded to 16 bits,
 *    q = nearest(w · 32767/max|w|), and Σ q (p − 128) is added up in integers, exactly; see `int16` below. An order of
 *    additions or a width of vectors cannot change a bit of it. */
export type Precision = 'float32' | 'int16';

/** A handle on numbers that a backend holds. Only that backend knows how and where they are stored;
 *  `write` and `read` are the only ways in and out. */
export interface Tensor {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** The pointwise non-linearities φ. `leaky-relu` has the slope 0.01 below zero. */
export type Activation = 'relu' | 'leaky-relu' | 'sigmoid' | 'tanh';

/** How a parameter w follows its gradient g; `learningRate` is η, `weightDecay` is λ.
 *  The formulas are in src/optim, one file a rule. */
export type UpdateRule =
  | {
      readonly kind: 'sgd';
      readonly learningRate: number;
      readonly momentum: number;
      readonly nesterov: boolean;
      readonly weightDecay: number;
    }
  | {
      readonly kind: 'adamw';
      readonly learningRate: number;
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly weightDecay: number;
      /** 1 − β₁ᵗ and 1 − β₂ᵗ at step t, counted from 1. */
      readonly correction1: number;
      readonly correction2: number;
    };

/** Where a result goes. A gradient can be stored, added to what is there, or turned into an update of its parameter on
 *  the spot; whichever is chosen, the parameter ends with the same bits. */
export type Sink =
  | { readonly kind: 'store'; readonly tensor: Tensor }
  | { readonly kind: 'add'; readonly tensor: Tensor }
  | {
      readonly kind: 'update';
      /** The parameter. */
      readonly tensor: Tensor;
      readonly rule: UpdateRule;
      /** What the rule remembers of this parameter: SGD [v], or [] without momentum; AdamW [m, v]. */
      readonly state: readonly Tensor[];
    };

export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** [columns of the result], added to every row. */
  readonly bias?: Tensor;
}

/** The arithmetic of precision `int16`, in float32 but for the sums of integers:
 *
 *      scale  = max|w|/32767 · 1/64; 0 where max|w| < 1e-30, NaN where it is not finite
 *      q_k    = nearest(w_k · (32767/max|w|)), ties to even
 *      result = scale · Σ_blocks float32(Σ_k q_k (p_k − 128)), blocks of 512 k, upwards
 *
 *  512 products of |q| ≤ 32767 and |p − 128| ≤ 128 stay below 2³¹. */
export const INT16 = { max: 32767, negligible: 1e-30, block: 512, pixelScale: 1 / 64 } as const;

/** What a backend works with, for people and for the record of a run. */
export interface BackendInfo {
  readonly threads: number;
  /** Width of the vectors; 0 without. */
  readonly vectorBits: number;
  /** Whether multiplication and addition are fused, and so rounded once. */
  readonly fma: boolean;
  /** Flags of V8 that were set. */
  readonly flags: readonly string[];
  /** Why it is not what one might expect. */
  readonly notes: readonly string[];
}

/** The operations. Each one only enqueues its work, in order; `read` waits for it. A result is never one of the
 *  operands. Every operation throws ShapeError, before any work, if the shapes do not fit. */
export interface Backend {
  readonly name: 'wasm' | 'reference';
  /** The type that it computes with. */
  readonly dtype: 'float32' | 'float64';
  readonly precision: Precision;
  readonly info: BackendInfo;

  /** A new tensor, filled with zeros, of the backend's dtype unless another one is named. */
  allocate(shape: Shape, dtype?: DType): Tensor;
  /** The first `rows` rows of `tensor`: the same numbers, not a copy. */
  view(tensor: Tensor, rows: number): Tensor;
  /** Sets all values, given in row-major order. */
  write(tensor: Tensor, values: ArrayLike<number>): void;
  /** A copy of all values, in row-major order. */
  read(tensor: Tensor): Promise<Float32Array | Float64Array>;

  /** Room for images where `loadBatch` finds them without copying. It takes images from elsewhere, too, and copies them
   *  when it first sees them; they must not change after that. */
  imageSet(count: number): ImageSet;
  /** images [B, D] = (p − 128)/64 for the bytes p of the planned rows, flipped and shifted; labels [B]. */
  loadBatch(source: ImageSet, plan: BatchPlan, images: Tensor, labels: Tensor): void;

  /** A·B, with A or B transposed on request, plus a bias: [M, K] · [K, N] → [M, N]. */
  matmul(a: Tensor, b: Tensor, into: Sink, options?: MatmulOptions): void;
  /** The sum of the rows of x: [M, N] → [N]. */
  sumRows(x: Tensor, into: Sink): void;
  /** a + b, of one shape. */
  add(a: Tensor, b: Tensor, into: Sink): void;
  /** factor · by · x, with a scalar tensor `by` of shape []. */
  scale(x: Tensor, factor: number, by: Tensor, into: Sink): void;
  /** factor · Σ xᵢ², a scalar. */
  sumSquares(x: Tensor, factor: number, into: Tensor): void;

  /** φ(x), of any shape. */
  activation(kind: Activation, x: Tensor, into: Tensor): void;
  /** upstream ⊙ φ′(x), computed from y = φ(x). */
  activationDerivative(kind: Activation, y: Tensor, upstream: Tensor, into: Sink): void;
  /** x ⊙ mask/(1 − rate). Element i is kept where hash32(key + hash32(i)) ≥ rate · 2³²: the same key gives the same
   *  mask, on every backend. */
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
  /** How many rows of the logits have their (first) maximum at the label: [B, C] → []. */
  countCorrect(logits: Tensor, labels: Tensor, into: Tensor): void;

  /** Hands a finished gradient to a sink of the same shape. */
  deliver(gradient: Tensor, into: Sink): void;

  /** Gives back what the backend holds beside memory, such as threads. */
  close(): void;
}

/** A backend that runs any function of JavaScript on every element, as only plain loops can: for graphs that are there to be
 *  looked at, not to be trained. */
export interface ElementwiseBackend extends Backend {
  /** f(a, b, …) at every element of the operands, each of the shape of the result or a scalar, which counts for all. */
  elementwise(f: (...values: number[]) => number, operands: readonly Tensor[], into: Sink): void;
  /** The sum of all elements, a scalar. */
  sum(x: Tensor, into: Sink): void;
  /** xᵀ: [M, N] → [N, M]. */
  transpose(x: Tensor, into: Sink): void;
}

/** Tensors that do not fit an operation: a bug in the caller, never the user's fault. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

/** How many numbers a tensor of this shape holds; 1 for the scalar shape []. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Whether a parameter is a weight, of two dimensions or more, and not a bias: weights start at random and decay; biases
 *  start at 0 and do not. */
export function isWeight({ shape }: { readonly shape: Shape }): boolean {
  return shape.length > 1;
}

/** @throws ShapeError if `got` is not `wanted`. */
export function expectShape(what: string, got: Shape, wanted: Shape): void {
  if (got.length !== wanted.length || got.some((length, axis) => length !== wanted[axis])) {
    throw new ShapeError(`${what} has shape [${got.join(', ')}], wanted [${wanted.join(', ')}]`);
  }
}

/** The byte p of a pixel's value (p − 128)/64. @throws RangeError if there is none. */
export function pixelOf(value: number): number {
  const p = value * 64 + 128;
  if (Number.isInteger(p) && p >= 0 && p <= 255) return p;
  throw new RangeError(`a pixel is (p − 128)/64 with p from 0 to 255, got ${value}`);
}
