import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../src/backends/backend.ts';
import { type Context, pixelValues } from './context.ts';

/** Operations of networks whose hidden units see a part of the image, and have several thresholds. */
export function checkLocal(context: Context): void {
  checkCrop(context);
  checkMultiBias(context);
  checkNewtonSchulz(context);
}

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
        const x = pixelValues(B * 3072, size);
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
        const values = await backend.read(fields);
        expect(values.length).toBe(wanted.length);
        expect(wanted.findIndex((value, i) => values[i] !== value)).toBe(-1);
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

function checkNewtonSchulz({ backend, tensor, valuesOf, expectClose }: Context): void {
  describe('Newton–Schulz iterations', () => {
    const iteration = { coefficients: [3.4445, -4.775, 2.0315], steps: 5 } as const;
    /** `count` matrices V Vᵀ/8, with V [M, M + 3]; the second is 0. */
    const gramsOf = (count: number, M: number) => {
      const K = M + 3;
      const v = valuesOf([count * M, K], 'gram');
      const grams = Float64Array.from({ length: count * M * M }, (_, at) => {
        const [row, p, j] = [Math.floor(at / M), Math.floor(at / (M * M)), at % M];
        const term = (_: unknown, k: number) => v[row * K + k] * v[(p * M + j) * K + k];
        return Math.fround(p === 1 ? 0 : Array.from({ length: K }, term).reduce((sum, x) => sum + x) / 8);
      });
      return grams;
    };
    const multiply = (a: Float64Array, b: Float64Array, M: number) =>
      Float64Array.from({ length: M * M }, (_, at) => {
        const [i, j] = [Math.floor(at / M), at % M];
        let sum = 0;
        for (let k = 0; k < M; k++) sum += a[i * M + k] * b[k * M + j];
        return sum;
      });
    /** The formulas of Backend.newtonSchulz. */
    const expectedOf = (gram: Float64Array, M: number, steps: number) => {
      const rows = Array.from({ length: M }, (_, i) => gram.subarray(i * M, (i + 1) * M));
      const sums = rows.map((row) => row.reduce((sum, value) => sum + Math.abs(value), 0));
      const s = Math.min(Math.max(...sums), Math.hypot(...gram));
      const identity = (value: number, at: number) => (Math.floor(at / M) === at % M ? value : 0);
      let G = gram.map((value) => (s === 0 ? 0 : value / s));
      let Z = gram.map((_, at) => identity(s === 0 ? 0 : 1 / Math.sqrt(s), at));
      const [a, b, c] = iteration.coefficients;
      for (let step = 0; step < steps; step++) {
        const square = multiply(G, G, M);
        const Q = G.map((value, at) => identity(a, at) + b * value + c * square[at]);
        Z = multiply(Q, Z, M);
        G = multiply(multiply(Q, G, M), Q, M);
      }
      return Z;
    };

    it.each([
      [3, 1],
      [2, 5],
      [13, 16],
      [12, 33],
      [2, 66],
      [9, 96],
      [2, 130],
    ])('of %i matrices of size %i agree with the formula', async (count, M) => {
      const grams = gramsOf(count, M);
      const into = backend.allocate([count * M, M]);
      for (const steps of [1, 3]) {
        backend.newtonSchulz(tensor([count * M, M], grams), count, { ...iteration, steps }, into);
        const expected = Array.from({ length: count }, (_, p) =>
          expectedOf(grams.slice(p * M * M, (p + 1) * M * M), M, steps),
        );
        await expectClose(
          into,
          expected.flatMap((values) => Array.from(values)),
        );
      }
    });

    it('of a matrix do not depend on the others', async () => {
      const M = 20;
      const grams = gramsOf(40, M);
      const [all, alone] = [backend.allocate([40 * M, M]), backend.allocate([M, M])];
      backend.newtonSchulz(tensor([40 * M, M], grams), 40, iteration, all);
      const results = await backend.read(all);
      for (const p of [0, 1, 17, 39]) {
        const range = [p * M * M, (p + 1) * M * M] as const;
        backend.newtonSchulz(tensor([M, M], grams.subarray(...range)), 1, iteration, alone);
        expect(await backend.read(alone)).toEqual(results.subarray(...range));
      }
    });

    it('reject shapes that do not match', () => {
      const x = backend.allocate([15, 5]);
      expect(() => backend.newtonSchulz(x, 2, iteration, backend.allocate([15, 5]))).toThrow(ShapeError);
      expect(() => backend.newtonSchulz(x, 3, iteration, backend.allocate([5, 15]))).toThrow(ShapeError);
    });
  });
}
