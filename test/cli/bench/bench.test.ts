import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { operationCount, productsOf, repetitionsOf } from '../../../src/bench/products.ts';
import { STEP_SIZES } from '../../../src/bench/sizes.ts';
import { type BenchResult, type BenchResults, benchLines } from '../../../src/cli/bench/text.ts';
import { main } from '../../../src/cli/main.ts';
import { nnTrain } from '../../support/cli.ts';

const positive = expect.toSatisfy((value) => Number.isFinite(value) && value > 0, 'a positive number');

describe('bench --json', () => {
  it('prints one object: products and steps in every precision, and their fractions of the peak', async () => {
    const { code, stdout, stderr } = await nnTrain(['bench', '--json', '--seconds', '0.01', '--backend', 'wasm']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    const bench: BenchResults = JSON.parse(stdout);
    expect(bench).toMatchObject({ node: process.version, seconds: 0.01 });
    expect(bench.results.map(({ precision }) => precision)).toEqual(['int8', 'int16', 'float32']);
    for (const { precision, peak, products, steps, parts, ...chosen } of bench.results) {
      expect(chosen).toEqual({
        backend: 'wasm',
        threads: positive,
        threadsReason: expect.any(String),
        vectorBits: positive,
        fma: expect.any(Boolean),
        flags: expect.any(Array),
        notes: expect.any(Array),
      });
      expect(peak).toEqual({ float32: positive, [precision]: positive });
      expect(products).toHaveLength(12);
      for (const { ofImages, arithmetic, operationsPerSecond, ...product } of products) {
        expect(arithmetic).toBe(ofImages ? precision : 'float32');
        expect(product.share).toEqual(positive);
        expect(product.share).toBeCloseTo(operationsPerSecond / peak![arithmetic]!);
      }
      expect(steps).toEqual(STEP_SIZES.map((size) => ({ ...size, imagesPerSecond: positive, share: positive })));
      for (const { imagesPerSecond, share, ...size } of steps) {
        // The time its products would take at peak over the time the step took. The value itself has no bound: the two rates
        // are measured at different moments of a busy machine.
        const { sides, optimizerOperations } = repetitionsOf(size);
        const secondsAtPeak = productsOf(size).reduce(
          (sum, product) => sum + (sides * operationCount(product)) / peak![product.ofImages ? precision : 'float32']!,
          optimizerOperations / peak!.float32!,
        );
        expect(share! / ((secondsAtPeak * imagesPerSecond) / size.batchSize)).toBeCloseTo(1, 9);
      }
      const { imagesPerSecond, batchSize } = steps.at(-1)!;
      expect(parts.map(({ part }) => part)).toEqual(['images', 'dunits', 'muon']);
      for (const { model, recipe, seconds, share } of parts) {
        expect([model, recipe, seconds]).toEqual(['mlp', 'fast', positive]);
        expect(share / ((seconds * imagesPerSecond) / batchSize)).toBeCloseTo(1, 9);
      }
    }
  });

  it('has no peak for the reference backend, and leaves out slow sizes', async () => {
    const args = ['bench', '--json', '--seconds', '0.001', '--backend', 'reference', '--precision', 'float32'];
    const { code, stdout } = await nnTrain(args);
    expect(code).toBe(0);
    const [{ backend, peak, products, steps, parts }, ...others] = (JSON.parse(stdout) as BenchResults).results;
    expect([backend, peak, others]).toEqual(['reference', null, []]);
    expect(products).toHaveLength(8);
    expect(parts).toEqual([]);
    expect(products[0]).toMatchObject({ result: 'logits', operationsPerSecond: positive, share: null });
    expect(steps.map(({ hidden }) => hidden)).toEqual([null, 100]);
    expect(steps[0]).toMatchObject({ imagesPerSecond: positive, share: null });
  });
});

describe('the table', () => {
  const result: BenchResult = {
    backend: 'wasm',
    precision: 'int16',
    threads: 128,
    threadsReason: 'the CPU limit of the control group',
    vectorBits: 256,
    fma: true,
    flags: ['--experimental-wasm-revectorize', '--no-liftoff', '--no-wasm-inlining-call-indirect', '--no-wasm-deopt'],
    notes: ['the self-test failed (derivative of leaky-relu) and was repeated with fewer features'],
    peak: { float32: 12_800e9, int16: 25_600e9 },
    products: [STEP_SIZES[0], STEP_SIZES[3], STEP_SIZES[5]].flatMap(productsOf).map((product) => ({
      ...product,
      arithmetic: 'float32',
      operationsPerSecond: 12_345.67e9,
      share: 1.02,
    })),
    steps: STEP_SIZES.map((size) => ({ ...size, imagesPerSecond: 12_345_678.9, share: 0.8049 })),
    parts: (['images', 'dunits', 'muon'] as const).map((part) => ({
      ...{ model: 'mlp', recipe: 'fast', part, seconds: 1.234_56, share: 0.0251 },
    })),
  };
  const bench: BenchResults = {
    version: '0.1.0',
    node: 'v24.11.1',
    platform: 'linux-x64',
    cpu: 'A processor with a name that is as long as they can be, 128-Core',
    seconds: 0.3,
    results: [
      result,
      { ...result, precision: 'float32', products: result.products.slice(1), steps: [], parts: [] },
      { ...result, precision: 'int8' },
    ],
  };
  const lines = benchLines(bench, (_, text) => text, 80);

  it('is at most 80 columns wide, even with the longest texts', () => {
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('puts the cells below their labels in a narrow terminal', () => {
    const narrow = benchLines(bench, (_, text) => text, 40).flatMap((line) => line.split('\n'));
    // The flags of V8 are longer than the terminal is wide.
    for (const line of narrow.filter((text) => !text.includes('--'))) expect(line.length, line).toBeLessThanOrEqual(40);
    const row = narrow.indexOf('  mlp    H = 2048  batches of 256');
    expect(narrow[row + 1]).toBe(' 12,345,679     80 %          –        –');
  });

  it('shows the precisions side by side, with a dash for missing measurements', () => {
    expect(lines).toContain('  linear X Wᵀ  [256, 3072]·[3072, 10]       12345.7    102 %          –        –');
    expect(lines).toContain('  linear dW    [10, 256]·[256, 3072]        12345.7    102 %    12345.7    102 %');
    expect(lines).toContain('  mlp    H = 2048  batches of 256        12,345,679     80 %          –        –');
    expect(lines).toContain('  fast   X W₁ᵀ 49 × [512, 192]·[192, 24]    12345.7    102 %    12345.7    102 %');
    expect(lines).toContain('  fast             batches of 512        12,345,679     80 %          –        –');
    expect(lines).toContain('  fast   dh, through the units              1234.56      3 %          –        –');
  });

  it('has a table below for precisions that have no room', () => {
    const heads = lines.filter((line) => /^ +int|float32$/.test(line)).map((line) => line.trim().split(/ +/));
    expect(heads).toEqual([['int16', 'float32'], ['int8']]);
    expect(lines).toContain('  mlp    H = 2048  batches of 256        12,345,679     80 %');
    const wide = benchLines(bench, (_, text) => text, 100);
    expect(wide).toContain(
      `${' '.repeat(40)}${['int16', 'float32', 'int8'].map((name) => name.padStart(20)).join('')}`,
    );
  });

  it('shows the settings and their reasons, except with --quiet', () => {
    const words = lines.join(' ').replace(/ +/g, ' ');
    for (const text of [...result.flags, ...result.notes, `128: ${result.threadsReason}`, bench.cpu]) {
      expect(words).toContain(text);
    }
    expect(benchLines(bench, (_, text) => text, 80, true).join('\n')).not.toContain('threads');
  });
});

it('exits with 130 and without a table on Ctrl-C', async () => {
  const io = Object.assign(new EventEmitter(), {
    stdout: Object.assign(new EventEmitter(), { write: vi.fn() }),
    stderr: Object.assign(new EventEmitter(), { write: vi.fn() }),
    env: {},
    cwd: () => '.',
  });
  const listens = new Promise<void>((resolve) => {
    io.on('newListener', (event) => event === 'SIGINT' && resolve());
  });
  const running = main(['bench', '--backend', 'reference', '--precision', 'float32'], io as unknown as NodeJS.Process);
  await listens;
  io.emit('SIGINT', 'SIGINT');
  expect(await running).toBe(130);
  expect(io.stdout.write).not.toHaveBeenCalled();
});
