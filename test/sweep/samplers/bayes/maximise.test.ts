import { expect, it } from 'vitest';
import { Random } from '../../../../src/random.ts';
import { maximise } from '../../../../src/sweep/samplers/bayes/maximise.ts';

const DIMENSIONS = [
  { levels: Infinity, isOrdered: true },
  { levels: Infinity, isOrdered: true },
  { levels: 20, isOrdered: true },
  { levels: 6, isOrdered: false },
];

it('the highest point of a function of numbers, steps and words is found, at the border as well', () => {
  for (const optimum of [0.3, 0]) {
    const value = ([x, y, step, word]: readonly number[]) =>
      -Math.abs(x - optimum) -
      Math.abs(y - 0.9) -
      Math.abs(Math.floor(20 * step) - 7) -
      (Math.floor(6 * word) === 4 ? 0 : 1);
    const scales = Float64Array.of(0.5, 0.5, 0.5, 0.5);
    const [x, y, step, word] = maximise(DIMENSIONS, value, [[0.5, 0.5, 0.5, 0.5]], scales, new Random(0));
    expect(Math.abs(x - optimum)).toBeLessThan(0.02);
    expect(Math.abs(y - 0.9)).toBeLessThan(0.02);
    expect([Math.floor(20 * step), Math.floor(6 * word)]).toEqual([7, 4]);
  }
});

it('a narrow peak is found from a start', () => {
  const value = (point: readonly number[]) => Math.exp(-1e6 * point.reduce((sum, x) => sum + (x - 0.4321) ** 2, 0));
  const start = [0.433, 0.433];
  const scales = Float64Array.of(0.01, 0.01);
  const found = maximise(DIMENSIONS.slice(0, 2), value, [start], scales, new Random(0));
  expect(value(found)).toBeGreaterThan(0.9);
});
