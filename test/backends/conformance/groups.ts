import { describe, expect, it } from 'vitest';
import { type Arrangement, ShapeError } from '../../../src/backends/backend.ts';
import { type Context, pixelValues, TOLERANCE_OF_PIXELS } from './context.ts';

/** Element (i, j) of matrix p of `count`, in a tensor of `columns` columns. */
function at(arrangement: Arrangement, { count, rows, columns }: Record<'count' | 'rows' | 'columns', number>) {
  return arrangement === 'stacked'
    ? (p: number, i: number, j: number) => (p * rows + i) * columns + j
    : (p: number, i: number, j: number) => (i * count + p) * columns + j;
}

/** Products of groups of rows or columns: the hidden units of one receptive field each. */
export function checkGroups({ backend, tensor, valuesOf, expectClose }: Context): void {
  const totalShape = (arrangement: Arrangement, count: number, [rows, columns]: readonly number[]) =>
    arrangement === 'stacked' ? [count * rows, columns] : [rows, count * columns];
  const arrangements = ['stacked', 'beside'] as const;

  describe('matmul by groups', () => {
    it.each([
      [1, 3, 5, 7],
      [2, 1, 1, 1],
      [3, 4, 7, 5],
      [9, 65, 6, 17],
      [4, 20, 130, 3],
      [25, 3, 2, 64],
    ])('multiplies %i pairs of [%i, %i] by [.., %i], for every arrangement', async (count, M, K, N) => {
      for (let choice = 0; choice < 32; choice++) {
        const bit = (i: number) => (choice >> i) & 1;
        const [transposeA, transposeB] = [bit(0) === 1, bit(1) === 1];
        const groups = { count, a: arrangements[bit(2)], b: arrangements[bit(3)], into: arrangements[bit(4)] };
        const [shapeA, shapeB] = [transposeA ? [K, M] : [M, K], transposeB ? [N, K] : [K, N]];
        const [allOfA, allOfB] = [totalShape(groups.a, count, shapeA), totalShape(groups.b, count, shapeB)];
        const [a, b] = [valuesOf(allOfA, 'a'), valuesOf(allOfB, 'b')];
        const atA = at(groups.a, { count, rows: shapeA[0], columns: shapeA[1] });
        const atB = at(groups.b, { count, rows: shapeB[0], columns: shapeB[1] });
        const atC = at(groups.into, { count, rows: M, columns: N });
        const shape = totalShape(groups.into, count, [M, N]);
        const bias = valuesOf([shape[1]], 'bias');
        const product = new Float64Array(count * M * N);
        for (let p = 0; p < count; p++) {
          for (let i = 0; i < M; i++) {
            for (let j = 0; j < N; j++) {
              let sum = 0;
              for (let k = 0; k < K; k++) {
                sum += a[transposeA ? atA(p, k, i) : atA(p, i, k)] * b[transposeB ? atB(p, j, k) : atB(p, k, j)];
              }
              product[atC(p, i, j)] = sum + bias[atC(p, i, j) % shape[1]];
            }
          }
        }
        const result = backend.allocate(shape);
        const options = { transposeA, transposeB, groups, bias: tensor([shape[1]], 'bias') };
        backend.matmul(tensor(allOfA, 'a'), tensor(allOfB, 'b'), { kind: 'store', tensor: result }, options);
        await expectClose(result, product);
      }
    });

    it.each(arrangements)('stores whole panels of columns, %s', async (into) => {
      const [count, M, K, N] = [3, 70, 300, 32];
      const groups = { count, a: 'stacked', b: 'stacked', into } as const;
      const [a, b] = [valuesOf([count * M, K], 'a'), valuesOf([count * K, N], 'b')];
      const atC = at(into, { count, rows: M, columns: N });
      const product = new Float64Array(count * M * N);
      for (let p = 0; p < count; p++) {
        for (let i = 0; i < M; i++) {
          for (let j = 0; j < N; j++) {
            for (let k = 0; k < K; k++) product[atC(p, i, j)] += a[(p * M + i) * K + k] * b[(p * K + k) * N + j];
          }
        }
      }
      const result = backend.allocate(totalShape(into, count, [M, N]));
      const operands = [tensor([count * M, K], 'a'), tensor([count * K, N], 'b')] as const;
      backend.matmul(...operands, { kind: 'store', tensor: result }, { groups });
      await expectClose(result, product);
    });

    it.each([
      [2, 5, 3, 16],
      [9, 33, 65, 48],
      [4, 100, 7, 192],
      [9, 64, 64, 768],
    ])('multiplies %i groups of pixels: %i images, %i units each, %i weights', async (P, B, F, K) => {
      const [x, w, dy] = [pixelValues(B * P * K, K), valuesOf([P * F, K], 'w'), valuesOf([B, P * F], 'dy')];
      const pixels = tensor([B, P * K], x, 'pixel');
      const [y, dw] = [backend.allocate([B, P * F]), backend.allocate([P * F, K])];
      const groups = { count: P, a: 'beside' } as const;
      backend.matmul(
        pixels,
        tensor([P * F, K], 'w'),
        { kind: 'store', tensor: y },
        {
          transposeB: true,
          groups: { ...groups, b: 'stacked', into: 'beside' },
        },
      );
      backend.matmul(
        tensor([B, P * F], 'dy'),
        pixels,
        { kind: 'store', tensor: dw },
        {
          transposeA: true,
          groups: { ...groups, b: 'beside', into: 'stacked' },
        },
      );
      const tolerance = TOLERANCE_OF_PIXELS[backend.precision];
      const expectNear = (values: ArrayLike<number>, wanted: (i: number) => number) => {
        const sample = Array.from({ length: 300 }, (_, i) => (i * 7919) % values.length);
        const largest = Math.max(...sample.map((i) => Math.abs(wanted(i))));
        for (const i of sample) expect(Math.abs(values[i] - wanted(i)) / largest).toBeLessThan(tolerance);
      };
      expectNear(await backend.read(y), (i) => {
        const [b, row] = [Math.floor(i / (P * F)), i % (P * F)];
        let sum = 0;
        for (let k = 0; k < K; k++) sum += x[b * P * K + Math.floor(row / F) * K + k] * w[row * K + k];
        return sum;
      });
      expectNear(await backend.read(dw), (i) => {
        const [row, k] = [Math.floor(i / K), i % K];
        let sum = 0;
        for (let b = 0; b < B; b++) sum += dy[b * P * F + row] * x[b * P * K + Math.floor(row / F) * K + k];
        return sum;
      });
    });

    it('rejects tensors that do not divide into the groups', () => {
      const groups = { count: 3, a: 'beside', b: 'stacked', into: 'beside' } as const;
      const product = (a: number[], b: number[], into: number[]) =>
        backend.matmul(
          backend.allocate(a),
          backend.allocate(b),
          { kind: 'store', tensor: backend.allocate(into) },
          { groups },
        );
      expect(() => product([2, 6], [6, 5], [2, 15])).not.toThrow();
      expect(() => product([2, 7], [6, 5], [2, 15])).toThrow(ShapeError);
      expect(() => product([2, 6], [9, 5], [2, 15])).toThrow(ShapeError);
      expect(() => product([2, 6], [6, 5], [6, 5])).toThrow(ShapeError);
    });
  });
}
