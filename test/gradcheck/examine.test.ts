import { describe, expect, it } from 'vitest';
import { type Claim, type Examination, examine, locate } from '../../src/gradcheck/examine.ts';
import { Random } from '../../src/random.ts';
import { normals } from '../support/graphs.ts';

const options = () => ({ directions: 3, coordinates: 12, random: new Random(1, 'examine') });

/** The sum of g(w) over the coordinates, and as its gradient what is claimed of each. */
function sumOf(
  point: Float64Array,
  g: (w: number) => number,
  derivative: (w: number, i: number) => number,
  winner: (w: number) => boolean = () => true,
): Claim & { evaluations: number } {
  const claim = {
    point,
    gradient: point.map(derivative),
    evaluations: 0,
    async evaluate(at: Float64Array) {
      claim.evaluations++;
      const value = at.reduce((sum, w) => sum + g(w), 0);
      // Different for every set of winners: at most 30 coordinates.
      return { value, winners: at.reduce((sum, w, i) => sum + (winner(w) ? 2 ** i : 0), 0) };
    },
  };
  return claim;
}

function worstError({ direction, coordinate }: Examination): number {
  return Math.max(direction!.error, coordinate!.error);
}

const POINT = normals(30, 'point');
const positive = (w: number) => w > 0;

describe('examine', () => {
  it('passes right gradients of smooth functions, to better than 1e-7', async () => {
    for (const [g, derivative] of [
      [Math.sin, Math.cos],
      [Math.tanh, (w: number) => 1 - Math.tanh(w) ** 2],
      [(w: number) => 1000 + Math.exp(3 * w), (w: number) => 3 * Math.exp(3 * w)],
    ] as const) {
      const result = await examine(sumOf(POINT, g, derivative), options());
      expect(worstError(result)).toBeLessThan(1e-7);
      expect(result).toMatchObject({ compared: 15, kinks: 0 });
    }
  });

  it('measures how wrong a gradient is', async () => {
    const result = await examine(
      sumOf(POINT, Math.sin, (w) => 1.001 * Math.cos(w)),
      options(),
    );
    expect(result.direction!.error).toBeCloseTo(0.001, 5);
    expect(result.coordinate!.error).toBeCloseTo(0.001, 5);
  });

  it('finds a NaN, a missing gradient and a wrong sign', async () => {
    for (const wrong of [NaN, 0, -1]) {
      const claim = sumOf(POINT, Math.sin, (w, i) => (i === 17 ? wrong : 1) * Math.cos(w));
      expect((await examine(claim, { ...options(), coordinates: 30 })).coordinate!.index).toBe(17);
      expect((await examine(claim, options())).direction!.error).toBeGreaterThan(1e-3);
    }
  });

  it('leaves out coordinates at a kink, and no others', async () => {
    const point = POINT.map((w, i) => (i < 4 ? 0 : i < 8 ? 1e-5 : w));
    const result = await examine(sumOf(point, Math.abs, Math.sign, positive), { ...options(), coordinates: 30 });
    // Random directions move the four coordinates at 0 across their kinks, that of the gradient does not.
    expect(result).toMatchObject({ compared: 27, kinks: 4 + 2 });
    expect(worstError(result)).toBeLessThan(1e-7);
  });

  it('excuses no fault by a kink nearby', async () => {
    for (const distance of [1e-3, 1e-4, 1e-5, 2e-6]) {
      const point = POINT.map((_, i) => (i % 2 === 0 ? distance : -distance));
      const claim = sumOf(point, Math.abs, (w) => 1.001 * Math.sign(w), positive);
      const { coordinate, direction, kinks } = await examine(claim, options());
      expect(coordinate!.error).toBeCloseTo(0.001, 5);
      expect(direction!.error).toBeCloseTo(0.001, 5);
      expect(kinks).toBe(0);
    }
  });

  it('says nothing of slopes that rounding hides', async () => {
    const tiny = (w: number) => 1e6 + 1e-12 * w;
    const result = await examine(
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
    expect(worstError(await examine(constant, options()))).toBe(0);
  });
});

describe('locate', () => {
  it('finds the one wrong coordinate among 100,000 in some dozens of evaluations', async () => {
    const point = normals(100_000, 'many').map((w) => w + 2 * Math.sign(w));
    for (const wrong of [0, 31_415, 99_999]) {
      const claim = sumOf(
        point,
        (w) => w * w,
        (w, i) => (i === wrong ? 2.02 * w : 2 * w),
      );
      const found = await locate(claim, options());
      expect(found.index).toBe(wrong);
      expect(found.analytic / found.numeric).toBeCloseTo(1.01, 5);
      expect(claim.evaluations).toBeLessThan(100);
    }
  });
});
