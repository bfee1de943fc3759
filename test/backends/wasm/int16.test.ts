import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Backend, Shape } from '../../../src/backends/backend.ts';
import { ReferenceBackend } from '../../../src/backends/reference/reference.ts';
import { createWasm } from '../../../src/backends/wasm/create.ts';
import { Random } from '../../../src/random.ts';

const reference = new ReferenceBackend('float32', 'int16');
const wasm = await createWasm({ precision: 'int16', threads: 2 });
afterAll(() => wasm.close());

interface Case {
  readonly B: number;
  readonly H: number;
  readonly D: number;
  /** The bytes of the images. */
  byte(i: number): number;
  /** The weights, and the gradients of the scores. */
  number(i: number): number;
}

/** Scores and weight gradients of one case, as bytes, so that even the sign of a zero must agree. */
async function products(backend: Backend, { B, H, D, byte, number }: Case): Promise<Buffer[]> {
  const filled = (shape: Shape, count: number, value: (i: number) => number, dtype?: 'pixel') => {
    const tensor = backend.allocate(shape, dtype);
    backend.write(
      tensor,
      Float32Array.from({ length: count }, (_, i) => value(i)),
    );
    return tensor;
  };
  const images = filled([B, D], B * D, (i) => (byte(i) - 128) / 64, 'pixel');
  const weights = filled([H, D], H * D, number);
  const upstream = filled([B, H], B * H, number);
  const bias = filled([H], H, number);
  const [scores, gradient] = [backend.allocate([B, H]), backend.allocate([H, D])];
  backend.matmul(images, weights, { kind: 'store', tensor: scores }, { transposeB: true, bias });
  backend.matmul(upstream, images, { kind: 'store', tensor: gradient }, { transposeA: true });
  return [Buffer.from((await backend.read(scores)).buffer), Buffer.from((await backend.read(gradient)).buffer)];
}

async function expectEqual(example: Case): Promise<void> {
  const [expected, got] = [await products(reference, example), await products(wasm, example)];
  expect(got[0].equals(expected[0]), 'scores').toBe(true);
  expect(got[1].equals(expected[1]), 'gradients').toBe(true);
}

describe('int16 products equal the reference bit for bit', () => {
  it('for any shape and magnitude', async () => {
    const shape = { B: fc.integer({ min: 1, max: 40 }), H: fc.integer({ min: 1, max: 70 }) };
    const rest = {
      blocks: fc.integer({ min: 1, max: 70 }),
      seed: fc.nat(),
      exponent: fc.integer({ min: -20, max: 20 }),
    };
    await fc.assert(
      fc.asyncProperty(fc.record({ ...shape, ...rest }), async ({ B, H, blocks, seed, exponent }) => {
        const random = new Random(seed, 'int16');
        const bytes = Uint8Array.from({ length: 4096 }, () => random.integer(256));
        const numbers = Float32Array.from({ length: 4093 }, () => random.normal() * 10 ** exponent);
        await expectEqual({ B, H, D: 16 * blocks, byte: (i) => bytes[i % 4096], number: (i) => numbers[i % 4093] });
      }),
      { numRuns: 60 },
    );
  });

  it('over many images, in several blocks', async () => {
    const random = new Random(1, 'many');
    const numbers = Float32Array.from({ length: 997 }, () => random.normal());
    await expectEqual({ B: 1100, H: 7, D: 32, byte: (i) => (i * 151) & 255, number: (i) => numbers[i % 997] });
  });

  // Sums of 512 products of 32,767 and −128 are as close to overflow as possible.
  it.each([
    ['all products most negative', 0, () => 1],
    ['all products most positive', 255, () => 1],
    ['negative times negative', 0, () => -1],
    ['alternating', 0, (i: number) => (i % 2 === 0 ? 1 : -1)],
    ['large numbers', 0, () => 3e38],
    ['negligible numbers', 0, () => 1e-31],
    ['zeros', 0, () => 0],
    ['rounding halves', 200, (i: number) => ((i % 64) + 0.5) / 32767],
  ] as const)('at the extremes: %s', async (_, byte, number) => {
    await expectEqual({ B: 13, H: 6, D: 3072, byte: () => byte, number });
    await expectEqual({ B: 1024, H: 6, D: 16, byte: () => byte, number });
  });
});
