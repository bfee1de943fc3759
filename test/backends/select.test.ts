import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { createBackend, openShared } from '../../src/backends/select.ts';
import { detectEngine } from '../../src/backends/wasm/node/engine.ts';
import { countClaimed } from '../../src/backends/wasm/pages.ts';
import * as selfTesting from '../../src/backends/wasm/self-test.ts';
import type { WasmShared } from '../../src/backends/wasm/wasm.ts';
import type { ImageSet } from '../../src/images.ts';
import { randomImageSet } from '../support/images.ts';

vi.mock('../../src/backends/wasm/self-test.ts', { spy: true });

const unshared = { ...detectEngine({ v8Flags: false }), threads: false };

/** Image `row` of a set and its label, as a backend loads them. */
async function loaded(backend: Backend, set: ImageSet, row: number) {
  const [images, labels] = [backend.allocate([1, 3072], 'pixel'), backend.allocate([1], 'label')];
  const one = { flip: new Uint8Array(1), shiftX: new Int8Array(1), shiftY: new Int8Array(1) };
  backend.loadBatch(set, { indices: Uint32Array.of(row), ...one }, images, labels);
  const pixels = Array.from(await backend.read(images), (value) => value * 64 + 128);
  return { pixels, label: (await backend.read(labels))[0] };
}

const bytesOf = ({ memory }: WasmShared) => memory!.space.wasm.buffer.byteLength;
const pagesOf = ({ memory }: WasmShared) => countClaimed(new Uint8Array(memory!.space.wasm.buffer, 0, 65_536));

const KINDS = [
  ['wasm', () => createBackend({ backend: 'wasm', threads: 2 })],
  ['wasm without shared memory', () => createBackend({ backend: 'wasm' }, unshared)],
  ['reference', () => createBackend({ backend: 'reference' })],
] as const;

describe('openShared', () => {
  it.each(KINDS)('opens a backend like the one that was shared, with its images: %s', async (_, create) => {
    const backend = await create();
    onTestFinished(() => backend.close());
    const [own, foreign] = [backend.imageSet(3), randomImageSet(4, 'shared')];
    own.images.fill(77);
    own.labels.fill(6);
    const plain = { images: Uint8Array.from(foreign.images), labels: Uint8Array.from(foreign.labels) };
    const shared = structuredClone(backend.share([own, plain]));
    const opened = await openShared(shared);
    expect([opened.name, opened.precision, opened.info.threads]).toEqual([backend.name, backend.precision, 1]);
    expect(await loaded(opened, shared.sets[0], 2)).toEqual({ pixels: new Array(3072).fill(77), label: 6 });
    expect(await loaded(opened, shared.sets[1], 3)).toEqual({ pixels: [...plain.images.slice(-3072)], label: 3 });
    own.labels.fill(5);
    expect(shared.sets[0].labels[0]).toBe(5);
    opened.close();
  });

  it('copies no images', async () => {
    const backend = await createBackend({ backend: 'wasm', threads: 1 });
    const set = backend.imageSet(20_000);
    const shared = backend.share([set]) as WasmShared;
    const before = bytesOf(shared);
    for (let i = 0; i < 4; i++) {
      const posted = structuredClone(shared);
      await loaded(await openShared(posted), posted.sets[0], 19_999);
    }
    expect(before).toBeGreaterThan(20_000 * 3072);
    expect(bytesOf(shared) - before).toBeLessThan(5e6);
  });

  it('repeats no self-test and sets no V8 flags', async () => {
    const backend = await createBackend({ backend: 'wasm', threads: 1 });
    const setFlags = vi.spyOn(v8, 'setFlagsFromString');
    onTestFinished(() => setFlags.mockRestore());
    vi.mocked(selfTesting.selfTest).mockClear();
    const shared = backend.share([]);
    const { flags } = (await openShared(shared)).info;
    expect(flags).toEqual(backend.info.flags);
    expect(selfTesting.selfTest).not.toHaveBeenCalled();
    expect((await openShared(shared, { precision: 'float32', threads: 2 })).info.threads).toBe(2);
    expect(selfTesting.selfTest).toHaveBeenCalled();
    expect(setFlags).not.toHaveBeenCalled();
  });
});

describe('reset', () => {
  it.each(KINDS)('gives zeroed tensors and keeps image sets: %s', async (_, create) => {
    const backend = await create();
    onTestFinished(() => backend.close());
    const [own, foreign] = [backend.imageSet(3), randomImageSet(4, 'reset')];
    own.labels.fill(6);
    for (let round = 0; round < 3; round++) {
      const tensor = backend.allocate([50, 1000]);
      expect((await backend.read(tensor)).every((value) => value === 0)).toBe(true);
      backend.write(tensor, new Float32Array(50_000).fill(1));
      expect((await loaded(backend, own, 2)).label).toBe(6);
      expect((await loaded(backend, foreign, 3)).pixels).toEqual([...foreign.images.slice(-3072)]);
      backend.reset();
    }
  });

  it('forgets tensors, whose memory is used again', async () => {
    const backend = await createBackend({ backend: 'wasm', threads: 2 });
    onTestFinished(() => backend.close());
    const set = backend.imageSet(5);
    set.labels.fill(9);
    const shared = backend.share([set]) as WasmShared;
    const [bytes, pages] = [new Set<number>(), new Set<number>()];
    for (let round = 0; round < 50; round++) {
      const shape = [100 + (round % 10), 3072];
      const [x, y] = [backend.allocate(shape), backend.allocate([shape[0], shape[0]])];
      expect((await backend.read(x)).every((value) => value === 0)).toBe(true);
      backend.write(x, new Float32Array(shape[0] * 3072).fill(1));
      backend.matmul(x, x, { kind: 'store', tensor: y }, { transposeB: true });
      expect((await backend.read(y)).every((value) => value === 3072)).toBe(true);
      expect((await loaded(backend, set, 4)).label).toBe(9);
      backend.reset();
      await expect(backend.read(x)).rejects.toThrow('the tensor was forgotten when the backend was reset');
      if (round >= 10) bytes.add(bytesOf(shared));
      pages.add(pagesOf(shared));
    }
    expect([bytes.size, pages.size]).toEqual([1, 1]);
  });

  it('is refused once the threads are closed, which may still use the memory', async () => {
    const backend = await createBackend({ backend: 'wasm', threads: 2 });
    backend.close();
    expect(() => backend.reset()).toThrow('the backend is closed');
  });
});

const DIST = path.join(path.dirname(createRequire(import.meta.url).resolve('nn-train/package.json')), 'dist');
const SCRIPT = fileURLToPath(new URL('../support/shared-backend.mjs', import.meta.url));

interface Work {
  readonly backend: 'wasm' | 'reference';
  readonly precision: 'int16' | 'float32';
  readonly opened?: 'int16' | 'float32';
  readonly workers: number;
  readonly rounds: number;
  readonly threads?: number;
  readonly isUnshared?: true;
}

/** Lets worker threads train and allocate at the same time; see shared-backend.mjs. @param prefix of the command. */
function workTogether(work: Work, prefix: readonly string[] = []) {
  const [command, ...args] = [...prefix, process.execPath, SCRIPT, DIST, JSON.stringify(work)];
  const { results, expected, flags } = JSON.parse(execFileSync(command, args, { encoding: 'utf8' }));
  const weights = results.map((result: { weights: string[] }) => result.weights);
  expect(weights).toEqual(expected);
  expect(new Set(weights.flat()).size).toBe(work.workers * work.rounds);
  for (const result of results) expect(result).toMatchObject({ wrong: 0, flags });
}

describe('worker threads that open a shared backend', () => {
  it.each<Work>([
    { backend: 'wasm', precision: 'int16', workers: 4, rounds: 6 },
    { backend: 'wasm', precision: 'float32', workers: 2, rounds: 4, threads: 2 },
    { backend: 'wasm', precision: 'float32', opened: 'int16', workers: 2, rounds: 2 },
    { backend: 'wasm', precision: 'int16', opened: 'float32', workers: 2, rounds: 2 },
    { backend: 'wasm', precision: 'int16', workers: 2, rounds: 2, isUnshared: true },
    { backend: 'reference', precision: 'int16', workers: 2, rounds: 1 },
  ])('compute what a backend alone computes: %o', (work) => workTogether(work));

  const hasLimit = process.platform === 'linux' || process.platform === 'freebsd';
  it.runIf(hasLimit)('share the address space of one, as a cluster limits it', () => {
    workTogether({ backend: 'wasm', precision: 'int16', workers: 8, rounds: 1 }, [
      ...['bash', '-c', 'ulimit -v 60000000 && exec "$@"', 'bash'],
    ]);
  });
});
