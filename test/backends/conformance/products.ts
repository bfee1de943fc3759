import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../src/backends/backend.ts';
import type { Context } from './context.ts';

export function checkProducts({ backend, tensor, valuesOf, storeIn, scalar, expectClose }: Context): void {
  describe('matmul', () => {
    const shapes = [
      [1, 1, 1],
      [2, 3, 4],
      [5, 7, 3],
      [13, 31, 17],
      [1, 129, 5],
      [33, 2, 65],
      [3, 3072, 10],
      [10, 37, 3072],
      [64, 100, 10],
    ];
    it.each(shapes)('multiplies [%i, %i] by [.., %i], with and without transposes and a bias', async (M, K, N) => {
      for (const [transposeA, transposeB] of [
        [false, false],
        [false, true],
        [true, false],
        [true, true],
      ]) {
        const [shapeA, shapeB] = [transposeA ? [K, M] : [M, K], transposeB ? [N, K] : [K, N]];
        const [a, b, bias] = [valuesOf(shapeA, 'a'), valuesOf(shapeB, 'b'), valuesOf([N], 'bias')];
        const product = new Float64Array(M * N);
        for (let i = 0; i < M; i++) {
          for (let j = 0; j < N; j++) {
            for (let k = 0; k < K; k++) {
              product[i * N + j] += a[transposeA ? k * M + i : i * K + k] * b[transposeB ? j * K + k : k * N + j];
            }
          }
        }
        const sink = storeIn([M, N]);
        const options = { transposeA, transposeB };
        backend.matmul(tensor(shapeA, 'a'), tensor(shapeB, 'b'), sink, options);
        await expectClose(sink.tensor, product);
        backend.matmul(tensor(shapeA, 'a'), tensor(shapeB, 'b'), sink, { ...options, bias: tensor([N], 'bias') });
        await expectClose(
          sink.tensor,
          product.map((value, i) => value + bias[i % N]),
        );
      }
    });

    it('rejects shapes that do not match', () => {
      const [a, b] = [backend.allocate([2, 3]), backend.allocate([4, 5])];
      expect(() => backend.matmul(a, b, storeIn([2, 5]))).toThrow(ShapeError);
      expect(() => backend.matmul(a, b, storeIn([2, 5]), { transposeB: true })).toThrow(ShapeError);
      const c = backend.allocate([3, 5]);
      expect(() => backend.matmul(a, c, storeIn([5, 2]))).toThrow(ShapeError);
      expect(() => backend.matmul(a, c, storeIn([2, 5]), { bias: backend.allocate([2]) })).toThrow(ShapeError);
      expect(() => backend.matmul(a, backend.allocate([3]), storeIn([2, 1]))).toThrow(ShapeError);
    });

    it.each([
      [1, 1, 1],
      [1, 15, 4],
      [3, 17, 300],
      [2, 64, 7],
      [1, 66, 9],
      [2, 131, 5],
    ])('copies %i symmetric products of side %i below their diagonals, over %i', async (count, M, K) => {
      const groups = { count, a: 'stacked', b: 'stacked', into: 'stacked' } as const;
      const [a, b] = [valuesOf([count * M, K], 'a'), valuesOf([count * K, M], 'b')];
      const product = new Float64Array(count * M * M);
      for (let p = 0; p < count; p++) {
        for (let i = 0; i < M; i++) {
          for (let j = i; j < M; j++) {
            let sum = 0;
            for (let k = 0; k < K; k++) sum += a[(p * M + i) * K + k] * b[(p * K + k) * M + j];
            product[(p * M + i) * M + j] = product[(p * M + j) * M + i] = sum;
          }
        }
      }
      const [sink, start] = [storeIn([count * M, M]), valuesOf([count * M, M], 'start')];
      const operands = [tensor([count * M, K], 'a'), tensor([count * K, M], 'b')] as const;
      backend.matmul(...operands, sink, { groups, symmetric: true });
      await expectClose(sink.tensor, product);
      const total = tensor([count * M, M], 'start');
      backend.matmul(...operands, { kind: 'add', tensor: total }, { groups, symmetric: true });
      await expectClose(
        total,
        product.map((value, i) => value + start[i]),
      );
    });

    it('rejects symmetric products that are not square, or have a bias', () => {
      const [a, b] = [backend.allocate([2, 3]), backend.allocate([3, 5])];
      expect(() => backend.matmul(a, b, storeIn([2, 5]), { symmetric: true })).toThrow(ShapeError);
      const options = { symmetric: true, transposeB: true, bias: backend.allocate([2]) };
      expect(() => backend.matmul(a, a, storeIn([2, 2]), options)).toThrow(TypeError);
    });

    it('propagates NaN', async () => {
      const sink = storeIn([2, 1]);
      backend.matmul(tensor([2, 2], [NaN, 1, 1, 1]), tensor([2, 1], [0, 1]), sink);
      expect(Array.from(await backend.read(sink.tensor))).toEqual([NaN, 1]);
    });
  });

  describe('sums', () => {
    it.each([
      [1, 1],
      [7, 3],
      [256, 10],
      [5, 513],
    ])('sumRows adds the rows of [%i, %i]', async (M, N) => {
      const x = valuesOf([M, N], 'x');
      const sink = storeIn([N]);
      backend.sumRows(tensor([M, N], 'x'), sink);
      const expected = Array.from({ length: N }, (_, j) => {
        let sum = 0;
        for (let i = 0; i < M; i++) sum += x[i * N + j];
        return sum;
      });
      await expectClose(sink.tensor, expected);
      expect(() => backend.sumRows(tensor([M, N], 'x'), storeIn([N + 1]))).toThrow(ShapeError);
    });

    it('add, scale and sumSquares follow their formulas', async () => {
      const [a, b] = [valuesOf([5, 7], 'a'), valuesOf([5, 7], 'b')];
      const sink = storeIn([5, 7]);
      backend.add(tensor([5, 7], 'a'), tensor([5, 7], 'b'), sink);
      await expectClose(
        sink.tensor,
        a.map((value, i) => value + b[i]),
      );
      backend.scale(tensor([5, 7], 'a'), 0.5, scalar(-3), sink);
      await expectClose(
        sink.tensor,
        a.map((value) => -1.5 * value),
      );
      const sum = backend.allocate([]);
      backend.sumSquares(tensor([5, 7], 'a'), 0.5, sum);
      await expectClose(sum, [a.reduce((total, value) => total + 0.5 * value * value, 0)]);
      expect(() => backend.add(tensor([5, 7], 'a'), tensor([7, 5], 'b'), sink)).toThrow(ShapeError);
      expect(() => backend.scale(tensor([5, 7], 'a'), 1, tensor([1], [1]), sink)).toThrow(ShapeError);
    });
  });
}
