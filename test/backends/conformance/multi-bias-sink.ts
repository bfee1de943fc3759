import { describe, expect, it } from 'vitest';
import { type Backend, ShapeError, type Sink, type Tensor } from '../../../src/backends/backend.ts';
import type { Context } from './context.ts';

/** A gradient that goes on through the units of `multiBias` without being stored. */
export function checkMultiBiasSink({ backend, tensor, storeIn }: Context): void {
  const unitsOf = (B: number, M: number, T: number) => {
    const [x, bias, y] = [tensor([B, M], 'x'), tensor([T * M], 'b'), backend.allocate([B, T * M])];
    backend.multiBias(x, bias, y);
    return { x, bias, y };
  };

  /** Computes a gradient of y into a tensor and sends it on, and computes it into the sink. */
  async function expectSame(
    { x, bias, y }: ReturnType<typeof unitsOf>,
    compute: (backend: Backend, into: Sink) => void,
    make = (shape: readonly number[]) => storeIn(shape),
  ): Promise<void> {
    const stored = storeIn(y.shape);
    compute(backend, stored);
    const [wanted, got] = [0, 1].map(() => ({ x: make(x.shape), bias: make(bias.shape) }));
    backend.multiBiasDerivative(y, stored.tensor, wanted.x);
    backend.sumRowsWherePositive(y, stored.tensor, wanted.bias);
    compute(backend, { kind: 'multi-bias', tensor: y, x, bias, into: got });
    const read = ({ tensor }: { tensor: Tensor }) => backend.read(tensor);
    expect(await read(got.x)).toEqual(await read(wanted.x));
    expect(await read(got.bias)).toEqual(await read(wanted.bias));
    expect((await read(got.bias)).some((value) => value !== 0)).toBe(true);
  }

  describe('a sink through multi-bias', () => {
    it.each([
      [1, 10, 1, 1],
      [2, 3, 5, 2],
      [7, 10, 13, 4],
      [33, 10, 64, 3],
      [300, 10, 200, 4],
      [515, 1, 130, 2],
      [6, 2, 2100, 4],
    ])(
      'gives the bits of a stored product of [%i, %i] by the weights of %i values with %i units',
      async (B, C, M, T) => {
        const units = unitsOf(B, M, T);
        const factors = [tensor([B, C], 'd'), tensor([C, T * M], 'w')] as const;
        await expectSame(units, (to, into) => to.matmul(...factors, into));
      },
    );

    it('adds to the gradients and updates the biases', async () => {
      const rule = { kind: 'sgd', learningRate: 0.1, momentum: 0, nesterov: false, weightDecay: 0.01 } as const;
      const units = unitsOf(5, 20, 4);
      const factors = [tensor([5, 10], 'd'), tensor([10, 80], 'w')] as const;
      await expectSame(
        units,
        (to, into) => to.matmul(...factors, into),
        (shape) =>
          shape.length === 1
            ? { kind: 'update', tensor: tensor(shape, 'p'), rule, state: [] }
            : { kind: 'add', tensor: tensor(shape, 'p') },
      );
    });

    it('takes the result of any operation', async () => {
      const units = unitsOf(9, 7, 2);
      const [a, b, by] = [tensor([9, 14], 'a'), tensor([9, 14], 'c'), tensor([], [2])];
      const computations: ((to: Backend, into: Sink) => void)[] = [
        (to, into) => to.deliver(a, into),
        (to, into) => to.add(a, b, into),
        (to, into) => to.scale(a, 3, by, into),
        (to, into) => to.activationDerivative('relu', a, b, into),
        (to, into) => to.dropout(a, 0.5, 7, into),
        (to, into) => to.matmul(tensor([3, 9], 'd'), tensor([3, 14], 'w'), into, { transposeA: true }),
      ];
      for (const compute of computations) await expectSame(units, compute);
    });

    it('rejects shapes that do not match', () => {
      const { x, bias, y } = unitsOf(2, 3, 2);
      const into = { x: storeIn([2, 3]), bias: storeIn([6]) };
      const product = (columns: number, sink: Partial<Extract<Sink, { kind: 'multi-bias' }>> = {}) =>
        backend.matmul(backend.allocate([2, 4]), backend.allocate([4, columns]), {
          ...{ kind: 'multi-bias', tensor: y, x, bias, into },
          ...sink,
        });
      expect(() => product(6)).not.toThrow();
      expect(() => product(5)).toThrow(ShapeError);
      expect(() => product(6, { into: { ...into, x: storeIn([2, 4]) } })).toThrow(ShapeError);
      expect(() => product(6, { into: { ...into, bias: storeIn([5]) } })).toThrow(ShapeError);
    });
  });
}
