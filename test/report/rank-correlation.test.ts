import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rankCorrelation } from '../../src/report/page/sweep/charts/rank-correlation.ts';

const zip = (x: readonly number[], y: readonly number[]) => x.map((value, i) => [value, y[i]] as const);

describe('the rank correlation', () => {
  it('agrees with published examples', () => {
    // Ten pairs of IQ and hours of television: Σd² = 194, so ρ = 1 − 6·194/(10·99) = −29/165.
    const iq = [106, 100, 86, 101, 99, 103, 97, 113, 112, 110];
    const hours = [7, 27, 2, 50, 28, 29, 20, 12, 6, 17];
    expect(rankCorrelation(zip(iq, hours))).toBeCloseTo(-29 / 165, 12);
    // Equal values have the mean of their ranks: 4.5 / √(4.5 · 5).
    expect(rankCorrelation(zip([1, 2, 2, 3], [1, 2, 3, 4]))).toBeCloseTo(Math.sqrt(0.9), 12);
  });

  it('is one for whatever rises, and changes its sign with the order', () => {
    const values = fc.uniqueArray(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 3, maxLength: 30 });
    fc.assert(
      fc.property(values, (x) => {
        expect(
          rankCorrelation(
            zip(
              x,
              x.map((value) => value),
            ),
          ),
        ).toBeCloseTo(1, 12);
        expect(
          rankCorrelation(
            zip(
              x,
              x.map((value) => -value),
            ),
          ),
        ).toBeCloseTo(-1, 12);
      }),
    );
  });

  it('is unknown without variation or with fewer than three pairs', () => {
    expect(rankCorrelation([])).toBeNull();
    expect(rankCorrelation(zip([1, 2], [1, 2]))).toBeNull();
    expect(rankCorrelation(zip([1, 1, 1], [1, 2, 3]))).toBeNull();
    expect(rankCorrelation(zip([1, 2, 3], [4, 4, 4]))).toBeNull();
  });
});
