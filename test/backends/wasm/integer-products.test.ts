import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend, IntegerPrecision, Shape } from '../../../src/backends/backend.ts';
import { ReferenceBackend } from '../../../src/backends/reference/reference.ts';
import { createWasm } from '../../../src/backends/wasm/create.ts';
import { detectEngine, type Engine } from '../../../src/backends/wasm/node/engine.ts';
import type { WasmBackend } from '../../../src/backends/wasm/wasm.ts';
import { Random } from '../../../src/random.ts';

const engine = detectEngine({ v8Flags: true });

/** Every way to compute them on this engine, also where it is not the fastest. */
const VARIANTS: [name: string, precision: IntegerPrecision, engine: Engine][] = [
  ['int16', 'int16', engine],
  ['int16 without wide vectors', 'int16', { ...engine, revectorize: false }],
  ['int8', 'int8', engine],
  ['int8 without wide vectors', 'int8', { ...engine, revectorize: false }],
  ['int8 without products of bytes', 'int8', { ...engine, int8: false }],
];

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

async function expectSame(wasm: Backend, example: Case): Promise<void> {
  const reference = new ReferenceBackend('float32', wasm.precision);
  const [expected, got] = [await products(reference, example), await products(wasm, example)];
  expect(got[0].equals(expected[0]), 'scores').toBe(true);
  expect(got[1].equals(expected[1]), 'gradients').toBe(true);
}

describe.each(VARIANTS)('products equal the reference bit for bit: %s', (_, precision, features) => {
  let wasm: WasmBackend;
  beforeAll(async () => {
    wasm = await createWasm({ precision, threads: 2, engine: features });
    wasm.products.usesBytes = features.int8;
  });
  afterAll(() => wasm.close());
  const expectEqual = (example: Case) => expectSame(wasm, example);

  it('for any shape and magnitude', async () => {
    const shape = { B: fc.integer({ min: 1, max: 40 }), H: fc.integer({ min: 1, max: 70 }) };
    const rest = {
      blocks: fc.integer({ min: 1, max: 70 }),
      seed: fc.nat(),
      exponent: fc.integer({ min: -20, max: 20 }),
    };
    await fc.assert(
      fc.asyncProperty(fc.record({ ...shape, ...rest }), async ({ B, H, blocks, seed, exponent }) => {
        const random = new Random(seed, 'integers');
        const bytes = Uint8Array.from({ length: 4096 }, () => random.integer(256));
        const numbers = Float32Array.from({ length: 4093 }, () => random.normal() * 10 ** exponent);
        await expectEqual({ B, H, D: 16 * blocks, byte: (i) => bytes[i % 4096], number: (i) => numbers[i % 4093] });
      }),
      { numRuns: 30 },
    );
  });

  it('over many images, in several blocks', async () => {
    const random = new Random(1, 'many');
    const numbers = Float32Array.from({ length: 997 }, () => random.normal());
    await expectEqual({ B: 2067, H: 7, D: 32, byte: (i) => (i * 151) & 255, number: (i) => numbers[i % 997] });
  });

  // Sums of 512 products of 32,767 and −128, or of 1,024 of 127 and −128, are as close to their limits as possible.
  it.each([
    ['all products most negative', 0, () => 1],
    ['all products most positive', 255, () => 1],
    ['negative times negative', 0, () => -1],
    ['alternating', 0, (i: number) => (i % 2 === 0 ? 1 : -1)],
    ['large numbers', 0, () => 3e38],
    ['negligible numbers', 0, () => 1e-31],
    ['zeros', 0, () => 0],
    ['rounding halves to int16', 200, (i: number) => ((i % 64) + 0.5) / 32767],
    ['rounding halves to int8', 200, (i: number) => ((i % 64) - 0.5) / 63],
  ] as const)('at the extremes: %s', async (_, byte, number) => {
    await expectEqual({ B: 13, H: 6, D: 3072, byte: () => byte, number });
    await expectEqual({ B: 1024, H: 6, D: 16, byte: () => byte, number });
  });
});
