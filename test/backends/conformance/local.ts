import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../src/backends/backend.ts';
import { type Context, pixelValues } from './context.ts';

/** Operations of networks whose hidden units see a part of the image, and have several thresholds. */
export function checkLocal(context: Context): void {
  checkCrop(context);
  checkMultiBias(context);
  checkNormalise(context);
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
