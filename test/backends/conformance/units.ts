import { describe, expect, it } from 'vitest';
import { type MatmulOptions, ShapeError, type Tensor } from '../../../src/backends/backend.ts';
import { type Context, pixelValues } from './context.ts';

/** Products of the units of `multiBias`, which a backend may compute as it goes. */
export function checkProductsOfUnits({ backend, tensor, valuesOf, storeIn, expectClose }: Context): void {
  const unitsOf = (B: number, M: number, T: number) => {
    const y = backend.allocate([B, T * M]);
    backend.multiBias(tensor([B, M], 'x'), tensor([T * M], 'b'), y);
    return y;
  };
  const product = async (a: Tensor, b: Tensor, options: MatmulOptions) => {
    const [rows, columns] = [a.shape[options.transposeA ? 1 : 0], b.shape[options.transposeB ? 0 : 1]];
    const into = storeIn([rows, columns]);
    backend.matmul(a, b, into, options);
    return backend.read(into.tensor);
  };

  describe('a product of units', () => {
    it.each([
      [1, 4, 1, 1],
      [3, 8, 2, 10],
      [7, 12, 3, 3],
      [33, 64, 4, 10],
      [61, 28, 4, 17],
      [40, 92, 4, 10],
      [270, 20, 2, 6],
      [31, 5, 4, 10],
      [9, 1030, 2, 10],
      [2, 100, 3, 130],
    ])(
      'of %i rows of %i values with %i units each has the bits of stored units, with %i others',
      async (B, M, T, C) => {
        const bias = tensor([C], 'c');
        const compute = [
          (y: Tensor) => product(y, tensor([C, T * M], 'w'), { transposeB: true, bias }),
          (y: Tensor) => product(y, tensor([T * M, C], 'v'), {}),
          (y: Tensor) => product(tensor([B, C], 'd'), y, { transposeA: true }),
          (y: Tensor) => product(tensor([C, B], 'e'), y, {}),
          (y: Tensor) => product(tensor([C, T * M], 'w'), y, { transposeB: true }),
          (y: Tensor) => product(y, y, { transposeB: true }),
        ];
        for (const run of compute) {
          const stored = unitsOf(B, M, T);
          await backend.read(stored);
          expect(await run(unitsOf(B, M, T))).toEqual(await run(stored));
        }
      },
    );

    it('agrees with a sum in float64', async () => {
      const [B, M, T, C] = [13, 20, 4, 3];
      const [x, b, w] = [valuesOf([B, M], 'x'), valuesOf([T * M], 'b'), valuesOf([C, T * M], 'w')];
      const y = (i: number, j: number) => Math.max(0, (-1) ** Math.floor(j / M) * x[i * M + (j % M)] + b[j]);
      const expected = Array.from({ length: B * C }, (_, at) => {
        const [i, c] = [Math.floor(at / C), at % C];
        return Array.from({ length: T * M }, (_, j) => y(i, j) * w[c * T * M + j]).reduce((sum, term) => sum + term);
      });
      const into = storeIn([B, C]);
      backend.matmul(unitsOf(B, M, T), tensor([C, T * M], 'w'), into, { transposeB: true });
      await expectClose(into.tensor, expected);
    });

    it('takes the biases that were given, though they have changed since', async () => {
      const [x, bias, weight] = [tensor([5, 8], 'x'), tensor([32], 'b'), tensor([10, 32], 'w')];
      const units = [0, 1].map(() => {
        const y = backend.allocate([5, 32]);
        backend.multiBias(x, bias, y);
        return y;
      });
      const expected = await product(unitsOf(5, 8, 4), weight, { transposeB: true });
      backend.write(bias, new Float64Array(32).fill(100));
      expect(await product(units[0], weight, { transposeB: true })).toEqual(expected);
      expect(await backend.read(units[1])).toEqual(await backend.read(unitsOf(5, 8, 4)));
    });

    it('sends its result to any sink', async () => {
      const rule = { kind: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 } as const;
      const results = await Promise.all(
        [true, false].map(async (isStored) => {
          const y = unitsOf(70, 24, 4);
          if (isStored) await backend.read(y);
          const [weight, velocity, sum] = [tensor([10, 96], 'w'), tensor([10, 96], 'v'), tensor([70, 10], 's')];
          backend.matmul(y, weight, { kind: 'add', tensor: sum }, { transposeB: true });
          const update = { kind: 'update', tensor: weight, rule, state: [velocity] } as const;
          backend.matmul(tensor([70, 10], 'd'), y, update, { transposeA: true });
          return Promise.all([weight, velocity, sum].map((result) => backend.read(result)));
        }),
      );
      expect(results[1]).toEqual(results[0]);
    });

    it('computes the units of a view of fewer rows, and the rest of them', async () => {
      const [y, weight] = [unitsOf(9, 8, 2), tensor([3, 16], 'w')];
      const all = await product(unitsOf(9, 8, 2), weight, { transposeB: true });
      const some = await product(backend.view(y, 4), weight, { transposeB: true });
      expect(some).toEqual(all.subarray(0, 12));
      expect(await backend.read(y)).toEqual(await backend.read(unitsOf(9, 8, 2)));
    });

    it('keeps the other units when some of them change', async () => {
      const [y, expected] = [unitsOf(3, 4, 2), await backend.read(unitsOf(3, 4, 2))];
      backend.write(backend.view(y, 1), new Float64Array(8).fill(7));
      expected.fill(7, 0, 8);
      expect(await backend.read(y)).toEqual(expected);
      const added = unitsOf(3, 4, 2);
      backend.deliver(tensor([3, 8], new Float64Array(24).fill(1)), { kind: 'add', tensor: added });
      const more = (await backend.read(unitsOf(3, 4, 2))).map((value) => value + 1);
      expect(await backend.read(added)).toEqual(more);
    });

    it('of images, or symmetric, has the bits of stored units', async () => {
      const images = tensor([16, 32], pixelValues(16 * 32, 3), 'pixel');
      const products = [
        (y: Tensor) => product(y, images, {}),
        (y: Tensor) => product(images, y, { transposeA: true }),
        (y: Tensor) => product(y, y, { transposeB: true, symmetric: true }),
        (y: Tensor) => product(y, y, { transposeA: true, symmetric: true }),
      ];
      for (const run of products) {
        const stored = unitsOf(16, 8, 2);
        await backend.read(stored);
        expect(await run(unitsOf(16, 8, 2))).toEqual(await run(stored));
      }
    });

    it('uses new units once they are replaced, and keeps those that are not', async () => {
      const [y, weight] = [unitsOf(16, 8, 2), tensor([16, 256], pixelValues(16 * 256, 4), 'pixel')];
      const first = await product(y, weight, {});
      const [x, bias] = [tensor([5, 8], 'other x'), tensor([16], 'other b')];
      const view = backend.view(y, 5);
      backend.multiBias(x, bias, view);
      const fresh = backend.allocate([5, 16]);
      backend.multiBias(x, bias, fresh);
      const [some, all] = [await product(fresh, weight, {}), await product(y, weight, {})];
      expect(all.subarray(0, some.length)).toEqual(some);
      expect(all.subarray(some.length)).toEqual(first.subarray(some.length));
      expect(all).not.toEqual(first);
    });

    it('keeps the units of the rows that are not replaced', async () => {
      const y = unitsOf(6, 4, 2);
      backend.multiBias(
        tensor([2, 4], new Float64Array(8).fill(3)),
        tensor([8], new Float64Array(8)),
        backend.view(y, 2),
      );
      const expected = await backend.read(unitsOf(6, 4, 2));
      for (let i = 0; i < 16; i++) expected[i] = i % 8 < 4 ? 3 : 0;
      expect(await backend.read(y)).toEqual(expected);
    });

    it('rejects shapes that do not match', () => {
      const y = unitsOf(3, 4, 2);
      expect(() => backend.matmul(y, tensor([5, 7], 'w'), storeIn([3, 5]), { transposeB: true })).toThrow(ShapeError);
      expect(() => backend.matmul(y, tensor([5, 8], 'w'), storeIn([3, 4]), { transposeB: true })).toThrow(ShapeError);
      expect(() => backend.matmul(tensor([2, 5], 'd'), y, storeIn([5, 8]), { transposeA: true })).toThrow(ShapeError);
      expect(() => backend.matmul(y, tensor([5, 8], 'w'), storeIn([3, 5]), { transposeB: true })).not.toThrow();
    });
  });
}
