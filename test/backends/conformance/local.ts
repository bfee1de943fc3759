import { describe, expect, it } from 'vitest';
import { type Arrangement, ShapeError } from '../../../src/backends/backend.ts';
import { Random } from '../../../src/random.ts';
import type { Context } from './context.ts';

/** Operations of networks whose hidden units see a part of the image, and have several thresholds. */
export function checkLocal(context: Context): void {
  checkCrop(context);
  checkGroups(context);
  checkMultiBias(context);
  checkNormalise(context);
}

const bytes = (count: number, seed: number) => {
  const random = new Random(seed, 'crop');
  return Float64Array.from({ length: count }, () => (random.integer(256) - 128) / 64);
};

function checkCrop({ backend, tensor }: Context): void {
  describe('crop', () => {
    it.each([
      [16, 8],
      [16, 4],
      [16, 16],
      [8, 12],
      [4, 28],
      [12, 5],
      [16, 7],
      [20, 3],
      [28, 1],
      [32, 1],
    ])('copies windows of %i pixels, %i apart', async (size, stride) => {
      for (const [dtype, mirrored] of [
        ['pixel', false],
        ['pixel', true],
        [backend.dtype, false],
        [backend.dtype, true],
      ] as const) {
        const B = 11;
        const x = bytes(B * 3072, size);
        const perSide = Math.floor((32 - size) / stride) + 1;
        const [P, K] = [perSide ** 2, 3 * size ** 2];
        const fields = backend.allocate([B, P * K], dtype);
        backend.crop(tensor([B, 3072], x, dtype), { size, stride, mirrored }, fields);
        const wanted = new Float64Array(B * P * K);
        for (let i = 0; i < wanted.length; i++) {
          const [b, p, k] = [Math.floor(i / (P * K)), Math.floor(i / K) % P, i % K];
          const [plane, row, column] = [Math.floor(k / size ** 2), Math.floor(k / size) % size, k % size];
          const [y, left] = [stride * Math.floor(p / perSide) + row, stride * (p % perSide) + column];
          wanted[i] = x[b * 3072 + plane * 1024 + y * 32 + (mirrored ? 31 - left : left)];
        }
        expect(Array.from(await backend.read(fields))).toEqual(Array.from(wanted));
      }
    });

    it('rejects shapes that do not match', () => {
      const images = backend.allocate([2, 3072], 'pixel');
      const fields = { size: 16, stride: 16, mirrored: false };
      expect(() => backend.crop(images, fields, backend.allocate([2, 768], 'pixel'))).toThrow(ShapeError);
      expect(() => backend.crop(images, fields, backend.allocate([3, 3072], 'pixel'))).toThrow(ShapeError);
    });
  });
}

/** Element (i, j) of matrix p of `count`, in a tensor of `columns` columns. */
function at(arrangement: Arrangement, { count, rows, columns }: Record<'count' | 'rows' | 'columns', number>) {
  return arrangement === 'stacked'
    ? (p: number, i: number, j: number) => (p * rows + i) * columns + j
    : (p: number, i: number, j: number) => (i * count + p) * columns + j;
}

function checkGroups({ backend, tensor, valuesOf, expectClose }: Context): void {
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
      const [x, w, dy] = [bytes(B * P * K, K), valuesOf([P * F, K], 'w'), valuesOf([B, P * F], 'dy')];
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
      // In int16 each float is rounded by up to 1/65,534 of the largest in its row.
      const tolerance = backend.precision === 'int16' ? 1e-4 : 2e-5;
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

function checkMultiBias({ backend, tensor, valuesOf, storeIn, expectClose }: Context): void {
  describe('multi-bias', () => {
    it.each([
      [1, 1, 1],
      [3, 5, 2],
      [7, 13, 3],
      [33, 64, 4],
      [2, 1030, 4],
    ])('of %i rows of %i values with %i units each, forward and backward', async (B, M, T) => {
      const [x, bias, upstream] = [valuesOf([B, M], 'x'), valuesOf([T * M], 'b'), valuesOf([B, T * M], 'up')];
      const y = backend.allocate([B, T * M]);
      backend.multiBias(tensor([B, M], 'x'), tensor([T * M], 'b'), y);
      const before = Array.from({ length: B * T * M }, (_, i) => {
        const [b, j] = [Math.floor(i / (T * M)), i % (T * M)];
        return (-1) ** Math.floor(j / M) * x[b * M + (j % M)] + bias[j];
      });
      await expectClose(
        y,
        before.map((value) => Math.max(0, value)),
      );
      const [dx, dbias] = [storeIn([B, M]), storeIn([T * M])];
      backend.multiBiasDerivative(y, tensor([B, T * M], 'up'), dx);
      backend.sumRowsWherePositive(y, tensor([B, T * M], 'up'), dbias);
      const [forX, forBias] = [new Float64Array(B * M), new Float64Array(T * M)];
      for (const [i, value] of before.entries()) {
        const [b, j] = [Math.floor(i / (T * M)), i % (T * M)];
        if (value <= 0) continue;
        forX[b * M + (j % M)] += (-1) ** Math.floor(j / M) * upstream[i];
        forBias[j] += upstream[i];
      }
      await expectClose(dx.tensor, forX);
      await expectClose(dbias.tensor, forBias);
    });

    it('propagates NaN, and rejects shapes that do not match', async () => {
      const y = backend.allocate([1, 4]);
      backend.multiBias(tensor([1, 2], [NaN, 1]), tensor([4], [0, 0, 0, 0]), y);
      expect(Array.from(await backend.read(y))).toEqual([NaN, 1, NaN, 0]);
      expect(() => backend.multiBias(backend.allocate([1, 3]), backend.allocate([4]), y)).toThrow(ShapeError);
      expect(() => backend.multiBias(backend.allocate([1, 2]), backend.allocate([3]), y)).toThrow(ShapeError);
      expect(() => backend.multiBiasDerivative(y, backend.allocate([4, 1]), storeIn([1, 2]))).toThrow(ShapeError);
    });
  });
}

function checkNormalise({ backend, tensor, valuesOf, expectClose }: Context): void {
  it('normalise divides by a bound of the eigenvalues, and gives 0 for 0', async () => {
    const [count, M] = [3, 5];
    const values = valuesOf([count * M, M], 'gram');
    values.fill(0, M * M, 2 * M * M);
    const x = tensor([count * M, M], values);
    const [into, root] = [backend.allocate([count * M, M]), backend.allocate([count * M, M])];
    backend.normalise(x, count, into, root);
    const bounds = [0, 1, 2].map((p) => {
      const rows = Array.from({ length: M }, (_, i) => values.subarray((p * M + i) * M, (p * M + i + 1) * M));
      const sums = rows.map((row) => row.reduce((sum, value) => sum + Math.abs(value), 0));
      return Math.min(Math.max(...sums), Math.hypot(...rows.flatMap((row) => [...row])));
    });
    const divided = (p: number, value: number) => (bounds[p] === 0 ? 0 : value / bounds[p]);
    await expectClose(
      into,
      values.map((value, i) => divided(Math.floor(i / (M * M)), value)),
    );
    await expectClose(
      root,
      values.map((_, i) => (Math.floor(i / M) % M === i % M ? Math.sqrt(divided(Math.floor(i / (M * M)), 1)) : 0)),
    );
    expect(() => backend.normalise(x, 2, into, root)).toThrow(ShapeError);
  });
}
