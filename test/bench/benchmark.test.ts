import { describe, expect, it } from 'vitest';
import type { MatmulOptions, Sink, Tensor } from '../../src/backends/backend.ts';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { benchmark } from '../../src/bench/benchmark.ts';
import { operationCount, prepareProduct, productsOf, repetitionsOf } from '../../src/bench/products.ts';
import type { StepSize } from '../../src/bench/sizes.ts';
import { prepareStep, randomImages } from '../../src/bench/steps.ts';

/** Records the products that are requested, and computes none. */
class Recorder extends ReferenceBackend {
  readonly products = new Set<string>();

  override matmul(a: Tensor, b: Tensor, into: Sink, options: MatmulOptions = {}): void {
    const operand = ({ shape, dtype }: Tensor, isTransposed = false) =>
      `${dtype} [${shape.join(', ')}]${isTransposed ? 'ᵀ' : ''}`;
    const bias = options.bias ? ' + bias' : '';
    const { count, a: left, b: right, into: result } = options.groups ?? {};
    const groups = count === undefined ? '' : `, ${count} groups: ${left} · ${right} → ${result}`;
    const rule = into.kind === 'update' && into.rule.kind !== 'sgd' ? ` by ${into.rule.kind}` : '';
    this.products.add(
      `${operand(a, options.transposeA)} · ${operand(b, options.transposeB)}${bias} → ${into.kind} ${operand(into.tensor)}${rule}${groups}`,
    );
  }
}

describe('benchmark', () => {
  it('measures each product as a training step computes it', async () => {
    const backend = new Recorder('float32', 'int16');
    await benchmark([backend], { seconds: 1e-9 });
    expect([...backend.products].sort()).toEqual(
      [
        // The second layer with H = 512 and batches of 256.
        'float32 [256, 10] · float32 [10, 512] → store float32 [256, 512]',
        'float32 [256, 10]ᵀ · float32 [256, 512] → update float32 [10, 512]',
        // The second layer of the recipe fast.
        'float32 [512, 10] · float32 [10, 4704] → store float32 [512, 4704]',
        'float32 [512, 10]ᵀ · float32 [512, 4704] → update float32 [10, 4704]',
        'float32 [512, 4704] · float32 [10, 4704]ᵀ + bias → store float32 [512, 10]',
        // The linear model, both alone and in its step.
        'float32 [256, 10]ᵀ · pixel [256, 3072] → update float32 [10, 3072]',
        'float32 [256, 512] · float32 [10, 512]ᵀ + bias → store float32 [256, 10]',
        // A step with H = 100 and batches of 100.
        'float32 [100, 10] · float32 [10, 100] → store float32 [100, 100]',
        'float32 [100, 10]ᵀ · float32 [100, 100] → update float32 [10, 100]',
        'float32 [100, 100] · float32 [10, 100]ᵀ + bias → store float32 [100, 10]',
        'float32 [100, 100]ᵀ · pixel [100, 3072] → update float32 [100, 3072]',
        'pixel [100, 3072] · float32 [100, 3072]ᵀ + bias → store float32 [100, 100]',
        'pixel [256, 3072] · float32 [10, 3072]ᵀ + bias → store float32 [256, 10]',
      ].sort(),
    );
  });

  it.each<StepSize>([
    { model: 'mlp', recipe: 'plain', hidden: 32, batchSize: 16 },
    { model: 'mlp', recipe: 'fast', hidden: 16, batchSize: 16 },
    { model: 'linear', recipe: 'plain', hidden: null, batchSize: 16 },
  ])('measures the products that a step computes: $model $recipe', async (size) => {
    const [alone, step] = [new Recorder('float32', 'int16'), new Recorder('float32', 'int16')];
    for (const product of productsOf(size)) prepareProduct(alone, product)();
    await prepareStep(step, randomImages(step), size)();
    // Those of the optimiser start with a matrix of the 49 · 16 filters.
    const ofBatch = [...step.products].filter((product) => !product.startsWith('float32 [784, '));
    // With a mirror, gradients of both sides are added before the update.
    const factors = (products: Iterable<string>) =>
      [...new Set(Array.from(products, (product) => product.split(' → ')[0]))].sort();
    expect(factors(alone.products)).toEqual(factors(ofBatch));
  });

  it('takes every measurement in every round, and stops when its signal is aborted', async () => {
    const controller = new AbortController();
    const seen: number[][] = [];
    const onProgress = (done: number, total: number) => {
      seen.push([done, total]);
      if (seen.length === 3) controller.abort('enough');
    };
    const options = { seconds: 1e-9, signal: controller.signal, onProgress };
    await expect(benchmark([new Recorder('float32')], options)).rejects.toBe('enough');
    // 8 products and 2 steps in 5 rounds.
    expect(seen).toEqual([
      [0, 50],
      [1, 50],
      [2, 50],
    ]);
  });
});

describe('productsOf', () => {
  it('adds up to the operations of a whole step', () => {
    const operations = (size: Parameters<typeof productsOf>[0]) =>
      productsOf(size).reduce((sum, product) => sum + operationCount(product), 0);
    expect(operations({ model: 'linear', recipe: 'plain', hidden: null, batchSize: 256 })).toBe(
      2 * (2 * 256 * 3072 * 10),
    );
    expect(operations({ model: 'mlp', recipe: 'plain', hidden: 512, batchSize: 64 })).toBe(
      2 * 64 * 512 * (2 * 3072 + 3 * 10),
    );
    const fast = { model: 'mlp', recipe: 'fast', hidden: 32, batchSize: 512 } as const;
    // 49 fields of 8 × 8 pixels with 32 filters each, and four units for each filter.
    expect(operations(fast)).toBe(2 * 512 * 49 * 32 * (2 * 192 + 3 * 4 * 10));
    // Half of u uᵀ, 18 times half of a product of 32 × 32, and the final product.
    expect(repetitionsOf(fast).optimizerOperations).toBe(49 * (32 * 33 * 192 + 18 * 32 * 33 * 32 + 2 * 32 * 32 * 192));
    expect(repetitionsOf({ ...fast, recipe: 'plain' }).optimizerOperations).toBe(0);
  });
});
