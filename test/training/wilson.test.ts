import { expect, it } from 'vitest';
import { wilsonInterval } from '../../src/training/wilson.ts';

// R. G. Newcombe, "Two-sided confidence intervals for the single proportion" (1998), Table I, method 3.
it.each([
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])('gives the published interval for %i of %i', (correct, n, low, high) => {
  const interval = wilsonInterval(correct, n);
  expect(interval[0]).toBeCloseTo(low, 4);
  expect(interval[1]).toBeCloseTo(high, 4);
});

it('is symmetric in correct and incorrect, and ends exactly at 0 or 1', () => {
  expect(wilsonInterval(20, 20)).toEqual([expect.closeTo(1 - 0.1611, 4), 1]);
  expect(wilsonInterval(0, 7)[0]).toBe(0);
});

// By definition, both ends p of the interval solve |correct/n − p| = z √(p(1 − p)/n).
it('has ends whose normal approximation just reaches the observed accuracy', () => {
  for (const [correct, n, z] of [
    [5780, 10000, 1.959963984540054],
    [3, 11, 1],
    [9, 10, 2.5758],
  ]) {
    for (const p of wilsonInterval(correct, n, z)) {
      expect(Math.abs(correct / n - p)).toBeCloseTo(z * Math.sqrt((p * (1 - p)) / n), 12);
    }
  }
});
