import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { createBackend } from '../../../src/backends/select.ts';
import { createWasm, UnsupportedError } from '../../../src/backends/wasm/create.ts';
import { detectEngine } from '../../../src/backends/wasm/node/engine.ts';
import * as selfTesting from '../../../src/backends/wasm/self-test.ts';
import type { WasmBackend } from '../../../src/backends/wasm/wasm.ts';

vi.mock('../../../src/backends/wasm/self-test.ts', { spy: true });

describe('the self-test', async () => {
  const backend = await createWasm({ precision: 'int16', threads: 1 });
  afterAll(() => backend.close());

  /** The backend, with a small error in the result of one operation. */
  function withError(operation: string): WasmBackend {
    return new Proxy(backend, {
      get(target, name) {
        const value = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        if (name !== operation) return value.bind(target);
        return (...args: never[]) => {
          value.apply(target, args);
          const last = args.findLast(
            (arg: unknown) =>
              typeof arg === 'object' && arg !== null && !('transposeB' in arg) && !('transposeA' in arg),
          );
          const tensor = (last as unknown as { tensor?: never }).tensor ?? (last as never);
          const rule = { kind: 'sgd', learningRate: -1e-3, momentum: 0, nesterov: false, weightDecay: 1 } as const;
          const [zero] = [backend.allocate((tensor as { shape: number[] }).shape)];
          backend.deliver(zero, { kind: 'update', tensor, rule, state: [] });
        };
      },
    });
  }

  it('passes correct kernels', async () => {
    expect(await selfTesting.selfTest(backend)).toBeUndefined();
  });

  it.each([
    ['matmul', 'forward product'],
    ['activation', 'relu'],
    ['activationDerivative', 'derivative of relu'],
    ['sumRows', 'sum of rows'],
    ['dropout', 'dropout'],
    ['softmaxCrossEntropy', 'softmax'],
    ['softmaxCrossEntropyDerivative', 'derivative of softmax'],
    ['hinge', 'hinge'],
    ['hingeDerivative', 'derivative of hinge'],
    ['countCorrect', 'count'],
  ])('detects an error of a thousandth in %s', async (operation, name) => {
    expect(await selfTesting.selfTest(withError(operation))).toBe(name);
  });
});

describe('a failed self-test', () => {
  const engine = detectEngine({ v8Flags: true });
  const failing = (times: number) => {
    for (let i = 0; i < times; i++) vi.mocked(selfTesting.selfTest).mockResolvedValueOnce('product');
  };
  afterEach(() => vi.mocked(selfTesting.selfTest).mockReset());

  it('is repeated with fewer features, with a note', async () => {
    failing(2);
    const features = { ...engine, revectorize: true, fma: true };
    const backend = await createWasm({ precision: 'float32', threads: 1, engine: features });
    expect([backend.info.vectorBits, backend.info.fma]).toEqual([128, false]);
    expect(backend.info.notes).toContain('the self-test failed (product) and was repeated with fewer features');
    backend.close();
  });

  it('is repeated without products of bytes, the last of the features of int8', async () => {
    failing(2);
    const features = { ...engine, revectorize: true, int8: engine.fma };
    const backend = await createWasm({ precision: 'int8', threads: 1, engine: features });
    expect([backend.info.vectorBits, backend.share([]).engine.int8]).toEqual([128, false]);
    backend.close();
  });

  it('without experimental features is an error, or makes auto choose the reference backend', async () => {
    failing(1);
    const plain = { ...engine, revectorize: false };
    const wanted = createWasm({ precision: 'int16', threads: 1, engine: plain });
    await expect(wanted).rejects.toThrow(UnsupportedError);
    failing(1);
    const backend = await createBackend({ precision: 'int16', threads: 1 }, plain);
    expect(backend.name).toBe('reference');
    expect(backend.info.notes[0]).toContain('the wasm kernels give wrong results on this engine (product)');
  });
});
