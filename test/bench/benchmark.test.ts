import { describe, expect, it } from 'vitest';
import type { MatmulOptions, Sink, Tensor } from '../../src/backends/backend.ts';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { benchmark } from '../../src/bench/benchmark.ts';
import { productsOf } from '../../src/bench/products.ts';

/** Records the products that are requested, and computes none. */
class Recorder extends ReferenceBackend {
  readonly products = new Set<string>();

  override matmul(a: Tensor, b: Tensor, into: Sink, options: MatmulOptions = {}): void {
    const operand = ({ shape, dtype }: Tensor, isTransposed = false) =>
      `${dtype} [${shape.join(', ')}]${isTransposed ? 'ᵀ' : ''}`;
    const bias = options.bias ? ' + bias' : '';
    this.products.add(
      `${operand(a, options.transposeA)} · ${operand(b, options.transposeB)}${bias} → ${into.kind} ${operand(into.tensor)}`,
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

  it('takes every measurement in every round, and stops when its signal is aborted', async () => {
    const controller = new AbortController();
    const seen: number[][] = [];
    const onProgress = (done: number, total: number) => {
      seen.push([done, total]);
      if (seen.length === 3) controller.abort('enough');
    };
    const options = { seconds: 1e-9, signal: controller.signal, onProgress };
    await expect(benchmark([new Recorder('float32')], options)).rejects.toBe('enough');
    // 5 products and 2 steps in 5 rounds.
    expect(seen).toEqual([
      [0, 35],
      [1, 35],
      [2, 35],
    ]);
  });
});

describe('productsOf', () => {
  it('adds up to the operations of a whole step', () => {
    const operations = (size: Parameters<typeof productsOf>[0]) =>
      productsOf(size).reduce((sum, { m, n, k }) => sum + 2 * m * n * k, 0);
    expect(operations({ model: 'linear', hidden: null, batchSize: 256 })).toBe(2 * (2 * 256 * 3072 * 10));
    expect(operations({ model: 'mlp', hidden: 512, batchSize: 64 })).toBe(2 * 64 * 512 * (2 * 3072 + 3 * 10));
  });
});
