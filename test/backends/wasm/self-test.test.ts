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

  /** The backend, with the result of one operation a little wrong. */
  function sabotaged(operation: string): WasmBackend {
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

  it('finds nothing wrong with kernels that are right', async () => {
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
  ])('finds %s a thousandth off', async (operation, name) => {
    expect(await selfTesting.selfTest(sabotaged(operation))).toBe(name);
  });
});

describe('what fails the self-test', () => {
  const engine = detectEngine({ v8Flags: true, wantsFma: true });
  const failing = (times: number) => {
    for (let i = 0; i < times; i++) vi.mocked(selfTesting.selfTest).mockResolvedValueOnce('product');
  };
  afterEach(() => vi.mocked(selfTesting.selfTest).mockReset());

  it('is given up, step by step, and named', async () => {
    failing(2);
    const features = { ...engine, revectorize: true, fma: true };
    const backend = await createWasm({ precision: 'float32', threads: 1, engine: features });
    expect([backend.info.vectorBits, backend.info.fma]).toEqual([128, false]);
    expect(backend.info.notes).toContain('the self-test failed (product), so it was repeated with fewer features');
    backend.close();
  });

  it('without anything left to give up is an error, or a reason for the reference backend', async () => {
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
