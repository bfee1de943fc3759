import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../../src/backends/backend.ts';
import { Random } from '../../../src/random.ts';
import { type Context, TOLERANCE_OF_PIXELS } from './context.ts';

/** Products of pixels, (p − 128)/64 for bytes p, and floats. */
export function checkPixels({ backend, tensor, valuesOf }: Context): void {
  describe('pixels', () => {
    const tolerance = TOLERANCE_OF_PIXELS[backend.precision];
    const bytes = (count: number, seed: number) => {
      const random = new Random(seed, 'pixels');
      return Float64Array.from({ length: count }, () => (random.integer(256) - 128) / 64);
    };
    const expectNear = (values: ArrayLike<number>, at: (i: number) => number) => {
      const sample = Array.from({ length: Math.min(values.length, 500) }, (_, i) => (i * 7919) % values.length);
      const wanted = sample.map(at);
      const largest = Math.max(1e-3, ...wanted.map(Math.abs));
      for (const [j, i] of sample.entries()) expect(Math.abs(values[i] - wanted[j]) / largest).toBeLessThan(tolerance);
    };

    it('are written and read exactly, and other values are rejected', async () => {
      const values = Array.from({ length: 256 }, (_, p) => (p - 128) / 64);
      const pixels = backend.allocate([4, 64], 'pixel');
      backend.write(pixels, values);
      expect(Array.from(await backend.read(pixels))).toEqual(values);
      for (const wrong of [2, -2.1, 0.01, NaN])
        expect(() =>
          backend.write(
            pixels,
            values.map(() => wrong),
          ),
        ).toThrow(RangeError);
    });

    it.each([
      [1, 1, 16],
      [7, 5, 32],
      [17, 33, 48],
      [33, 10, 1040],
      [5, 61, 3072],
      [256, 10, 3072],
      [100, 100, 3072],
      [130, 130, 3072],
    ])('%i images times %i units with %i weights each, forward and backward', async (B, H, D) => {
      const [x, w, dz] = [bytes(B * D, 1), valuesOf([H, D], 'w'), valuesOf([B, H], 'dz')];
      const images = tensor([B, D], x, 'pixel');
      const scores = backend.allocate([B, H]);
      const bias = valuesOf([H], 'bias');
      backend.matmul(
        images,
        tensor([H, D], 'w'),
        { kind: 'store', tensor: scores },
        { transposeB: true, bias: tensor([H], 'bias') },
      );
      expectNear(await backend.read(scores), (i) => {
        const [b, h] = [Math.floor(i / H), i % H];
        let sum = bias[h];
        for (let k = 0; k < D; k++) sum += x[b * D + k] * w[h * D + k];
        return sum;
      });
      const gradient = backend.allocate([H, D]);
      backend.matmul(tensor([B, H], 'dz'), images, { kind: 'store', tensor: gradient }, { transposeA: true });
      expectNear(await backend.read(gradient), (i) => {
        const [h, k] = [Math.floor(i / D), i % D];
        let sum = 0;
        for (let b = 0; b < B; b++) sum += dz[b * H + h] * x[b * D + k];
        return sum;
      });
    });

    it('give 0 for a weight row of zeros, and a non-finite score for a row with NaN or infinity', async () => {
      const images = tensor([2, 16], bytes(32, 3), 'pixel');
      const weights = new Float32Array(64).fill(1);
      weights.fill(0, 16, 32);
      weights[40] = NaN;
      weights[50] = Infinity;
      const scores = backend.allocate([2, 4]);
      backend.matmul(images, tensor([4, 16], weights), { kind: 'store', tensor: scores }, { transposeB: true });
      const values = await backend.read(scores);
      for (const row of [values.subarray(0, 4), values.subarray(4, 8)]) {
        expect(row[0]).not.toBeNaN();
        expect(row[1]).toBe(0);
        expect(row[2]).toBeNaN();
        expect(Number.isFinite(row[3])).toBe(false);
      }
    });

    it('reject shapes that do not match', () => {
      const images = backend.allocate([2, 32], 'pixel');
      const sink = { kind: 'store', tensor: backend.allocate([2, 3]) } as const;
      expect(() => backend.matmul(images, backend.allocate([3, 16]), sink, { transposeB: true })).toThrow(ShapeError);
      expect(() => backend.matmul(images, backend.allocate([3, 32]), sink)).toThrow(ShapeError);
    });
  });
}
