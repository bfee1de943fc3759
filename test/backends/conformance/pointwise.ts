import { describe, expect, it } from 'vitest';
import { type Activation, ShapeError } from '../../../src/backends/backend.ts';
import { ACTIVATIONS } from '../../support/graphs.ts';
import type { Context } from './context.ts';

export function checkPointwise({ backend, tensor, valuesOf, storeIn, expectClose }: Context): void {
  describe('activation', () => {
    const FUNCTIONS: Record<Activation, [value: (x: number) => number, derivative: (x: number) => number]> = {
      relu: [(x) => Math.max(0, x), (x) => (x > 0 ? 1 : 0)],
      'leaky-relu': [(x) => (x > 0 ? x : 0.01 * x), (x) => (x > 0 ? 1 : 0.01)],
      sigmoid: [(x) => Math.exp(x) / (Math.exp(x) + 1), (x) => Math.exp(x) / (Math.exp(x) + 1) ** 2],
      tanh: [(x) => 2 / (1 + Math.exp(-2 * x)) - 1, (x) => 1 / Math.cosh(x) ** 2],
    };

    it.each(ACTIVATIONS)('%s and its derivative', async (kind) => {
      const shape = [9, 13];
      const [x, upstream] = [valuesOf(shape, 'x'), valuesOf(shape, 'upstream')];
      const [value, derivative] = FUNCTIONS[kind];
      const y = backend.allocate(shape);
      backend.activation(kind, tensor(shape, 'x'), y);
      await expectClose(y, x.map(value));
      const sink = storeIn(shape);
      backend.activationDerivative(kind, y, tensor(shape, 'upstream'), sink);
      await expectClose(
        sink.tensor,
        upstream.map((u, i) => u * derivative(x[i])),
      );
      expect(() => backend.activation(kind, y, backend.allocate([13, 9]))).toThrow(ShapeError);
      expect(() => backend.activationDerivative(kind, y, backend.allocate([13, 9]), sink)).toThrow(ShapeError);
    });

    it('(leaky) ReLU has the derivative of its lower side at 0', async () => {
      const sink = storeIn([1]);
      backend.activationDerivative('relu', tensor([1], [0]), tensor([1], [1]), sink);
      expect(Array.from(await backend.read(sink.tensor))).toEqual([0]);
      backend.activationDerivative('leaky-relu', tensor([1], [0]), tensor([1], [1]), sink);
      await expectClose(sink.tensor, [0.01]);
    });

    it.each(ACTIVATIONS)('%s propagates NaN and handles large numbers', async (kind) => {
      const y = backend.allocate([4]);
      backend.activation(kind, tensor([4], [NaN, 1e4, -1e4, 0]), y);
      const [nan, high, low] = await backend.read(y);
      expect(nan).toBeNaN();
      expect(high).toBe({ relu: 1e4, 'leaky-relu': 1e4, sigmoid: 1, tanh: 1 }[kind]);
      expect(low).toBeCloseTo({ relu: 0, 'leaky-relu': -100, sigmoid: 0, tanh: -1 }[kind], 4);
    });
  });

  describe('dropout', () => {
    /** The mask as specified in Backend.dropout, computed with big integers. */
    const isKept = (i: number, rate: number, key: number) => {
      const scramble = (x: number) => {
        let z = BigInt(x) & 0xffffffffn;
        z = ((z ^ (z >> 16n)) * 0x7feb352dn) & 0xffffffffn;
        z = ((z ^ (z >> 15n)) * 0x846ca68bn) & 0xffffffffn;
        return Number(z ^ (z >> 16n));
      };
      return scramble((key + scramble(i)) % 2 ** 32) >= rate * 2 ** 32;
    };

    it.each([0, 0.1, 0.5, 0.9])('with rate %d', async (rate) => {
      const shape = [11, 19];
      const x = valuesOf(shape, 'x');
      for (const key of [0, 1, 0xfffffff0]) {
        const sink = storeIn(shape);
        backend.dropout(tensor(shape, 'x'), rate, key, sink);
        await expectClose(
          sink.tensor,
          x.map((value, i) => (isKept(i, rate, key) ? value / (1 - rate) : 0)),
        );
      }
    });
  });
}
