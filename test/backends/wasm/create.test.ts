import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createBackend } from '../../../src/backends/select.ts';
import { createWasm, UnsupportedError } from '../../../src/backends/wasm/create.ts';
import { availableCores, parseCpuList } from '../../../src/backends/wasm/node/cores.ts';
import { detectEngine } from '../../../src/backends/wasm/node/engine.ts';
import { UserError } from '../../../src/errors.ts';

const engine = detectEngine({ v8Flags: false });

describe('createBackend', () => {
  it('chooses wasm with one thread per core', async () => {
    const backend = await createBackend();
    expect([backend.name, backend.precision, backend.info.threads]).toEqual(['wasm', 'int8', availableCores()]);
    expect(backend.info.notes).toEqual([]);
    backend.close();
  });

  it('falls back to reference without SIMD, with a note', async () => {
    const backend = await createBackend({}, { ...engine, simd: false });
    expect([backend.name, backend.precision]).toEqual(['reference', 'int8']);
    expect(backend.info.notes).toEqual([expect.stringContaining('no WebAssembly SIMD')]);
  });

  it('falls back to reference without WebAssembly, as under --jitless', async () => {
    vi.stubGlobal('WebAssembly', undefined);
    onTestFinished(() => void vi.unstubAllGlobals());
    const backend = await createBackend();
    expect(backend.info.notes).toEqual(['using the slow reference backend: this engine has no WebAssembly']);
    await expect(createBackend({ backend: 'wasm' })).rejects.toThrow(
      "this engine has no WebAssembly; use backend: 'reference'",
    );
  });

  it('does not fall back from an explicitly chosen backend', async () => {
    const wanted = createBackend({ backend: 'wasm' }, { ...engine, simd: false });
    await expect(wanted).rejects.toThrow(UnsupportedError);
    await expect(wanted).rejects.toThrow("use backend: 'reference'");
  });

  it('runs on one thread without shared memory, with a note', async () => {
    const backend = await createBackend({ threads: 4 }, { ...engine, threads: false });
    expect([backend.name, backend.info.threads]).toEqual(['wasm', 1]);
    expect(backend.info.notes).toEqual([expect.stringContaining('one thread')]);
    backend.close();
  });

  it('sets no V8 flags if not allowed to', async () => {
    const backend = await createBackend({ v8Flags: false, threads: 1 });
    expect([backend.info.flags, backend.info.vectorBits]).toEqual([[], 128]);
    backend.close();
  });
});

describe('memory', () => {
  it('works beyond 2 GiB, where addresses are negative as i32', async () => {
    const backend = await createWasm({ precision: 'int16', threads: 2 });
    // Never written to, so it takes no physical memory.
    backend.allocate([600_000_000]);
    const tensor = (shape: number[], values: number[]) => {
      const result = backend.allocate(shape);
      backend.write(result, values);
      return result;
    };
    const product = backend.allocate([2, 2]);
    const bias = tensor([2], [10, 20]);
    backend.matmul(
      tensor([2, 2], [1, 2, 3, 4]),
      tensor([2, 2], [5, 6, 7, 8]),
      { kind: 'store', tensor: product },
      { bias },
    );
    expect(Array.from(await backend.read(product))).toEqual([29, 42, 53, 70]);
    const set = backend.imageSet(2);
    set.images.fill(192);
    set.labels.set([3, 4]);
    const plan = {
      indices: Uint32Array.of(1),
      flip: Uint8Array.of(0),
      shiftX: Int8Array.of(0),
      shiftY: Int8Array.of(0),
    };
    const [images, labels] = [backend.allocate([1, 3072], 'pixel'), backend.allocate([1], 'label')];
    backend.loadBatch(set, plan, images, labels);
    expect(new Set(await backend.read(images))).toEqual(new Set([1]));
    expect(Array.from(await backend.read(labels))).toEqual([4]);
    backend.close();
  });

  it('gives a clear error when full, and earlier tensors stay usable', async () => {
    const backend = await createWasm({ precision: 'int16', threads: 1 });
    const tensor = backend.allocate([3]);
    backend.write(tensor, [1, 2, 3]);
    expect(() => backend.allocate([50_000, 50_000])).toThrow(UserError);
    expect(() => backend.allocate([50_000, 50_000])).toThrow(
      /out of memory: 10,000 MB more are needed, .* smaller batchSize/,
    );
    expect(Array.from(await backend.read(tensor))).toEqual([1, 2, 3]);
    backend.close();
  });
});

describe('availableCores', () => {
  it('is at least one', () => {
    expect(availableCores()).toBeGreaterThanOrEqual(1);
  });

  it('parses lists of CPUs as Linux writes them', () => {
    expect(parseCpuList('0')).toEqual([0]);
    expect(parseCpuList('0-3,8,10-11')).toEqual([0, 1, 2, 3, 8, 10, 11]);
  });
});
