import { type Backend, type MatmulOptions, type Shape, type Sink, sizeOf, type Tensor } from '../backends/backend.ts';
import type { UpdateRule } from '../backends/update-rules.ts';
import type { Config } from '../config/config.ts';
import { resolveConfig } from '../config/resolve.ts';
import { CLASS_COUNT, IMAGE_BYTES, scaledPixel } from '../images.ts';
import { layoutOf } from '../models/mlp.ts';
import { muonOperations } from '../optim/muon.ts';
import { Random } from '../random.ts';
import { layerOf, type StepSize } from './sizes.ts';

// The matrix products of a training step, one at a time. Dimensions: batch size B, D = 3072, C = 10, and those of sizes.ts.

const [D, C] = [IMAGE_BYTES, CLASS_COUNT];

const UPDATE: UpdateRule = {
  kind: 'sgd',
  learningRate: 1e-6,
  momentum: 0.9,
  nesterov: true,
  weightDecay: 5e-4,
};

const DIRECTION: UpdateRule = { kind: 'direction', momentum: 0.9, nesterov: true };

/** A matrix product of a training step, [M, K] · [K, N] → [M, N], or one such product for each of several groups. */
export interface ProductSize {
  readonly model: Config['model'];
  readonly recipe: Config['recipe'];
  /** P, the number of groups: receptive fields. */
  readonly groups: number;
  /** What it computes: `hidden` X W₁ᵀ, `dW1`, `logits`, `dhidden` or `dW2`; in the linear model `logits` or `dW`. */
  readonly result: 'hidden' | 'dW1' | 'logits' | 'dhidden' | 'dW2' | 'dW';
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Whether one operand is the images. If so, it is computed in the precision of the backend, otherwise in float32. */
  readonly ofImages: boolean;
}

/** Returns the products of the forward and the backward pass of a step, for one side of the images. The gradient of the images is not one of them: it is
 *  never computed. */
export function productsOf(size: StepSize): ProductSize[] {
  const { model, recipe, batchSize: B } = size;
  const common = { model, recipe, groups: 1 };
  if (model === 'linear') {
    return [
      { ...common, result: 'logits', m: B, n: C, k: D, ofImages: true },
      { ...common, result: 'dW', m: C, n: D, k: B, ofImages: true },
    ];
  }
  const { P, F, K, H } = layerOf(size);
  return [
    { ...common, groups: P, result: 'hidden', m: B, n: F, k: K, ofImages: true },
    { ...common, groups: P, result: 'dW1', m: F, n: K, k: B, ofImages: true },
    { ...common, result: 'logits', m: B, n: C, k: H, ofImages: false },
    { ...common, result: 'dhidden', m: B, n: H, k: C, ofImages: false },
    { ...common, result: 'dW2', m: C, n: H, k: B, ofImages: false },
  ];
}

/** Returns 2 M N K for each group: a multiplication and an addition for each element of the result and each k. */
export function operationCount({ groups, m, n, k }: ProductSize): number {
  return 2 * groups * m * n * k;
}

/** How often a step computes its products, and the operations of the products of its optimiser, all of them in float32. */
export function repetitionsOf(size: StepSize): { readonly sides: number; readonly optimizerOperations: number } {
  if (size.model === 'linear') return { sides: 1, optimizerOperations: 0 };
  const { P, F, K, sides, config } = layerOf(size);
  return { sides, optimizerOperations: config.optimizer === 'muon' ? P * muonOperations(F, K) : 0 };
}

/** Allocates the operands of a product and returns a function that computes it as a training step does. The function
 *  returns the number of operations. */
export function prepareProduct(backend: Backend, size: ProductSize): () => number {
  const { a, b, changed, into, options, prepare } = operandsOf(backend, size);
  const row = backend.view(changed, 1);
  const values = new Float32Array(sizeOf(row.shape)).fill(0.1);
  const operations = operationCount(size);
  return () => {
    // Weights and upstream gradients change in every step, so a backend must not reuse data derived from them.
    backend.write(row, values);
    prepare?.();
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
  /** What comes before the product in a step, where that decides how it is computed. */
  readonly prepare?: (() => void) | undefined;
}

/** Allocates the operands of a product, as the gates `linear` and `local linear` pass them to the backend. */
function operandsOf(backend: Backend, size: ProductSize): Operands {
  const { result, m, n, k } = size;
  if (size.groups > 1) return groupOperandsOf(backend, size);
  const store = (): Sink => ({ kind: 'store', tensor: backend.allocate([m, n]) });
  switch (result) {
    case 'hidden':
    case 'logits': {
      const [weight, bias] = [randomTensor(backend, [n, k]), backend.allocate([n])];
      const { tensor, prepare } = inputOf(backend, size, [m, k]);
      return { a: tensor, b: weight, changed: weight, into: store(), options: { transposeB: true, bias }, prepare };
    }
    case 'dhidden': {
      const [upstream, weight] = [randomTensor(backend, [m, k]), randomTensor(backend, [k, n])];
      return { a: upstream, b: weight, changed: upstream, into: store(), options: {} };
    }
    default: {
      const upstream = randomTensor(backend, [k, m]);
      const { tensor, prepare } = inputOf(backend, size, [k, n]);
      const weight = randomTensor(backend, [m, n]);
      const into: Sink = { kind: 'update', tensor: weight, rule: UPDATE, state: [backend.allocate([m, n])] };
      return { a: upstream, b: tensor, changed: upstream, into, options: { transposeA: true }, prepare };
    }
  }
}

/** What a layer multiplies by its weights: images, or random hidden units [rows, H]. Those of filters with several units are left
 *  to the product to compute. */
function inputOf(backend: Backend, { model, recipe, ofImages }: ProductSize, [rows, H]: [number, number]) {
  if (ofImages) return { tensor: randomTensor(backend, [rows, H], 'pixel') };
  const { thresholds } = layoutOf(resolveConfig({ model, recipe }), IMAGE_BYTES);
  if (thresholds === 1) return { tensor: randomTensor(backend, [rows, H]) };
  const [x, bias] = [randomTensor(backend, [rows, H / thresholds]), randomTensor(backend, [H])];
  const tensor = backend.allocate([rows, H]);
  return { tensor, prepare: () => backend.multiBias(x, bias, tensor) };
}

function groupOperandsOf(backend: Backend, { result, groups: count, m, n, k }: ProductSize): Operands {
  if (result === 'hidden') {
    const [x, weight] = [randomTensor(backend, [m, count * k], 'pixel'), randomTensor(backend, [count * n, k])];
    const groups = { count, a: 'beside', b: 'stacked', into: 'beside' } as const;
    const into: Sink = { kind: 'store', tensor: backend.allocate([m, count * n]) };
    return { a: x, b: weight, changed: weight, into, options: { transposeB: true, groups } };
  }
  const [upstream, x] = [randomTensor(backend, [k, count * m]), randomTensor(backend, [k, count * n], 'pixel')];
  const groups = { count, a: 'beside', b: 'beside', into: 'stacked' } as const;
  const [tensor, velocity] = [backend.allocate([count * m, n]), backend.allocate([count * m, n])];
  const into: Sink = { kind: 'update', tensor, rule: DIRECTION, state: [velocity] };
  return { a: upstream, b: x, changed: upstream, into, options: { transposeA: true, groups } };
}

/** Allocates a tensor of random numbers: pixels, or uniform in [−½, ½). */
export function randomTensor(backend: Backend, shape: Shape, dtype?: 'pixel'): Tensor {
  const random = new Random(0, 'benchmark');
  const next = dtype === 'pixel' ? () => scaledPixel(random.integer(256)) : () => random.uniform() - 0.5;
  const tensor = backend.allocate(shape, dtype);
  backend.write(tensor, Float32Array.from({ length: sizeOf(shape) }, next));
  return tensor;
}
