import { describe, expect, it } from 'vitest';
import {
  compareWithDifferences,
  findWrongCoordinate,
  type GradientComparison,
  type GradientUnderTest,
} from '../../src/gradcheck/compare.ts';
import { Random } from '../../src/random.ts';
import { normals } from '../support/graphs.ts';

const options = () => ({ directions: 3, coordinates: 12, random: new Random(1, 'examine') });

/** The sum of g(w) over the coordinates, with the given derivatives as its gradient. */
function sumOf(
  point: Float64Array,
  g: (w: number) => number,
  derivative: (w: number, i: number) => number,
  side: (w: number) => boolean = () => true,
): GradientUnderTest & { evaluations: number } {
  const tested = {
    point,
    gradient: point.map(derivative),
    evaluations: 0,
    async evaluate(at: Float64Array) {
      tested.evaluations++;
      const value = at.reduce((sum, w) => sum + g(w), 0);
      // A different hash for every set of sides, for at most 30 coordinates.
      return { value, kinkSides: at.reduce((sum, w, i) => sum + (side(w) ? 2 ** i : 0), 0) };
    },
  };
  return tested;
}

function worstError({ direction, coordinate }: GradientComparison): number {
  return Math.max(direction!.error, coordinate!.error);
}

const POINT = normals(30, 'point');
const positive = (w: number) => w > 0;

describe('compareWithDifferences', () => {
  it('passes right gradients of smooth functions with errors below 1e-7', async () => {
    for (const [g, derivative] of [
      [Math.sin, Math.cos],
      [Math.tanh, (w: number) => 1 - Math.tanh(w) ** 2],
      [(w: number) => 1000 + Math.exp(3 * w), (w: number) => 3 * Math.exp(3 * w)],
    ] as const) {
      const result = await compareWithDifferences(sumOf(POINT, g, derivative), options());
      expect(worstError(result)).toBeLessThan(1e-7);
      expect(result).toMatchObject({ compared: 15, kinks: 0 });
    }
  });

  it('measures how wrong a gradient is', async () => {
    const result = await compareWithDifferences(
      sumOf(POINT, Math.sin, (w) => 1.001 * Math.cos(w)),
      options(),
    );
    expect(result.direction!.error).toBeCloseTo(0.001, 5);
    expect(result.coordinate!.error).toBeCloseTo(0.001, 5);
  });

  it('finds a NaN, a missing gradient and a wrong sign', async () => {
    for (const wrong of [NaN, 0, -1]) {
      const tested = sumOf(POINT, Math.sin, (w, i) => (i === 17 ? wrong : 1) * Math.cos(w));
      expect((await compareWithDifferences(tested, { ...options(), coordinates: 30 })).coordinate!.index).toBe(17);
      expect((await compareWithDifferences(tested, options())).direction!.error).toBeGreaterThan(1e-3);
    }
  });

  it('leaves out coordinates at a kink and no others', async () => {
    const point = POINT.map((w, i) => (i < 4 ? 0 : i < 8 ? 1e-5 : w));
    const result = await compareWithDifferences(sumOf(point, Math.abs, Math.sign, positive), {
      ...options(),
      coordinates: 30,
    });
    // The random directions move the four coordinates at 0 across their kinks; the gradient's own does not.
    expect(result).toMatchObject({ compared: 27, kinks: 4 + 2 });
    expect(worstError(result)).toBeLessThan(1e-7);
  });

  it('finds faults near a kink', async () => {
    for (const distance of [1e-3, 1e-4, 1e-5, 2e-6]) {
      const point = POINT.map((_, i) => (i % 2 === 0 ? distance : -distance));
      const tested = sumOf(point, Math.abs, (w) => 1.001 * Math.sign(w), positive);
      const { coordinate, direction, kinks } = await compareWithDifferences(tested, options());
      expect(coordinate!.error).toBeCloseTo(0.001, 5);
      expect(direction!.error).toBeCloseTo(0.001, 5);
      expect(kinks).toBe(0);
    }
  });

  it('does not compare slopes that rounding hides', async () => {
    const tiny = (w: number) => 1e6 + 1e-12 * w;
    const result = await compareWithDifferences(
      sumOf(POINT, tiny, () => 2e-12),
      options(),
    );
    expect(result).toMatchObject({ compared: 0, kinks: 0, direction: null, coordinate: null });
  });

  it('compares zeros', async () => {
    const constant = sumOf(
      POINT,
      () => 3,
      () => 0,
    );
    expect(worstError(await compareWithDifferences(constant, options()))).toBe(0);
  });
});

describe('findWrongCoordinate', () => {
  it('finds one wrong coordinate among 100,000 in fewer than 100 evaluations', async () => {
    const point = normals(100_000, 'many').map((w) => w + 2 * Math.sign(w));
    for (const wrong of [0, 31_415, 99_999]) {
      const tested = sumOf(
        point,
        (w) => w * w,
        (w, i) => (i === wrong ? 2.02 * w : 2 * w),
      );
      const found = await findWrongCoordinate(tested, options());
      expect(found.index).toBe(wrong);
      expect(found.analytic / found.numeric).toBeCloseTo(1.01, 5);
      expect(tested.evaluations).toBeLessThan(100);
    }
  });
});
