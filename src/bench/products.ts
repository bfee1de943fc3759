import { type Backend, type MatmulOptions, type Shape, type Sink, sizeOf, type Tensor } from '../backends/backend.ts';
import type { UpdateRule } from '../backends/update-rules.ts';
import type { Config } from '../config/config.ts';
import { CLASS_COUNT, IMAGE_BYTES, scaledPixel } from '../images.ts';
import { Random } from '../random.ts';

// The matrix products of a training step, one at a time. Dimensions: batch size B, D = 3072, H hidden units, C = 10.

const [D, C] = [IMAGE_BYTES, CLASS_COUNT];

const UPDATE: UpdateRule = {
  kind: 'sgd',
  learningRate: 1e-6,
  momentum: 0.9,
  nesterov: true,
  weightDecay: 5e-4,
};

/** Size of a training step. */
export interface StepSize {
  readonly model: Config['model'];
  /** H; null for the linear model. */
  readonly hidden: number | null;
  readonly batchSize: number;
}

/** A matrix product of a training step: [M, K] · [K, N] → [M, N]. */
export interface ProductSize {
  readonly model: Config['model'];
  /** What it computes: `hidden` X W₁ᵀ, `dW1`, `logits`, `dhidden` or `dW2`; in the linear model `logits` or `dW`. */
  readonly result: 'hidden' | 'dW1' | 'logits' | 'dhidden' | 'dW2' | 'dW';
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Whether one operand is the images. If so, it is computed in the precision of the backend, otherwise in float32. */
  readonly ofImages: boolean;
}

/** Returns the products of a training step. The gradient of the images is not one of them: it is never computed. */
export function productsOf({ model, hidden, batchSize: B }: StepSize): ProductSize[] {
  if (model === 'linear') {
    return [
      { model, result: 'logits', m: B, n: C, k: D, ofImages: true },
      { model, result: 'dW', m: C, n: D, k: B, ofImages: true },
    ];
  }
  const H = hidden!;
  return [
    { model, result: 'hidden', m: B, n: H, k: D, ofImages: true },
    { model, result: 'dW1', m: H, n: D, k: B, ofImages: true },
    { model, result: 'logits', m: B, n: C, k: H, ofImages: false },
    { model, result: 'dhidden', m: B, n: H, k: C, ofImages: false },
    { model, result: 'dW2', m: C, n: H, k: B, ofImages: false },
  ];
}

/** Returns 2 M N K: a multiplication and an addition for each element of the result and each k. */
export function operationCount({ m, n, k }: ProductSize): number {
  return 2 * m * n * k;
}

/** Allocates the operands of a product and returns a function that computes it as a training step does. The function
 *  returns the number of operations. */
export function prepareProduct(backend: Backend, size: ProductSize): () => number {
  const { a, b, changed, into, options } = operandsOf(backend, size);
  const row = backend.view(changed, 1);
  const values = new Float32Array(sizeOf(row.shape)).fill(0.1);
  const operations = operationCount(size);
  return () => {
    // Weights and upstream gradients change in every step, so a backend must not reuse data derived from them.
    backend.write(row, values);
    backend.matmul(a, b, into, options);
    return operations;
  };
}

interface Operands {
  readonly a: Tensor;
  readonly b: Tensor;
  /** Operand that changes in every step, unlike the images. */
  readonly changed: Tensor;
  readonly into: Sink;
  readonly options: MatmulOptions;
}

/** Allocates the operands of a product, as the gate `linear` passes them to the backend. */
function operandsOf(backend: Backend, { result, m, n, k, ofImages }: ProductSize): Operands {
  const images = ofImages ? 'pixel' : undefined;
  const store = (): Sink => ({ kind: 'store', tensor: backend.allocate([m, n]) });
  switch (result) {
    case 'hidden':
    case 'logits': {
      const [x, weight, bias] = [
        randomTensor(backend, [m, k], images),
        randomTensor(backend, [n, k]),
        backend.allocate([n]),
      ];
      return { a: x, b: weight, changed: weight, into: store(), options: { transposeB: true, bias } };
    }
    case 'dhidden': {
      const [upstream, weight] = [randomTensor(backend, [m, k]), randomTensor(backend, [k, n])];
      return { a: upstream, b: weight, changed: upstream, into: store(), options: {} };
    }
    default: {
      const [upstream, x] = [randomTensor(backend, [k, m]), randomTensor(backend, [k, n], images)];
      const weight = randomTensor(backend, [m, n]);
      const into: Sink = { kind: 'update', tensor: weight, rule: UPDATE, state: [backend.allocate([m, n])] };
      return { a: upstream, b: x, changed: upstream, into, options: { transposeA: true } };
    }
  }
}

/** Allocates a tensor of random numbers: pixels, or uniform in [−½, ½). */
function randomTensor(backend: Backend, shape: Shape, dtype?: 'pixel'): Tensor {
  const random = new Random(0, 'benchmark');
  const next = dtype === 'pixel' ? () => scaledPixel(random.integer(256)) : () => random.uniform() - 0.5;
  const tensor = backend.allocate(shape, dtype);
  backend.write(tensor, Float32Array.from({ length: sizeOf(shape) }, next));
  return tensor;
}
