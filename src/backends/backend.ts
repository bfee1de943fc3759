/** The contract between the gates, which know no device, and the devices, which know no gradient.
 *
 *  Dimensions: N images of a dataset, B images of a batch, D = 3072 numbers of an image, C = 10 classes. */

export type Shape = readonly number[];

/** `label` is a byte that holds a class, 0 to C − 1. */
export type DType = 'float32' | 'float64' | 'label';

/** A handle on numbers that a backend holds. Only that backend knows how and where they are stored;
 *  `write` and `read` are the only ways in and out. */
export interface Tensor {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Images and labels as bytes, in shared memory. */
export interface ImageSet {
  /** [N, 3072]: of each image 1024 red, 1024 green, 1024 blue bytes, each plane 32 × 32 row by row. */
  readonly images: Uint8Array<SharedArrayBuffer>;
  /** [N]: 0 to 9. */
  readonly labels: Uint8Array<SharedArrayBuffer>;
}

/** Which images make a batch, and how each of them is changed on the way in. All arrays are of length B. */
export interface BatchPlan {
  /** Rows of the ImageSet. */
  readonly indices: Uint32Array;
  /** 1 to mirror left and right. */
  readonly flip: Uint8Array;
  /** Pixels by which the image moves right and down, −31 to 31; what it uncovers is filled by reflection
   *  about the border pixel. */
  readonly shiftX: Int8Array;
  readonly shiftY: Int8Array;
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

/** The operations. Each one only enqueues its work, in order; `read` waits for it. A result is never one of the
 *  operands. Every operation throws ShapeError, before any work, if the shapes do not fit. */
export interface Backend {
  readonly name: string;
  /** The type that it computes with. */
  readonly dtype: 'float32' | 'float64';

  /** A new tensor, filled with zeros, of the backend's dtype unless another one is named. */
  allocate(shape: Shape, dtype?: DType): Tensor;
  /** The first `rows` rows of `tensor`: the same numbers, not a copy. */
  view(tensor: Tensor, rows: number): Tensor;
  /** Sets all values, given in row-major order. */
  write(tensor: Tensor, values: ArrayLike<number>): void;
  /** A copy of all values, in row-major order. */
  read(tensor: Tensor): Promise<Float32Array | Float64Array>;

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
}

/** Tensors that do not fit an operation: a bug in the caller, never the user's fault. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

/** How many numbers a tensor of this shape holds; 1 for the scalar shape []. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** @throws ShapeError if `got` is not `wanted`. */
export function expectShape(what: string, got: Shape, wanted: Shape): void {
  if (got.length !== wanted.length || got.some((length, axis) => length !== wanted[axis])) {
    throw new ShapeError(`${what} has shape [${got.join(', ')}], wanted [${wanted.join(', ')}]`);
  }
}
