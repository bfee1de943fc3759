import { expect, it } from 'vitest';
import { Random } from '../../../../src/random.ts';
import { maximise } from '../../../../src/sweep/samplers/bayes/maximise.ts';

const DIMENSIONS = [
  { levels: Infinity, isOrdered: true },
  { levels: Infinity, isOrdered: true },
  { levels: 20, isOrdered: true },
  { levels: 6, isOrdered: false },
];

it.each([0.3, 0])('beats as many random points, with numbers, steps and words and the highest at %d', (optimum) => {
  const value = ([x, y, step, word]: readonly number[]) =>
    -Math.abs(x - optimum) -
    Math.abs(y - 0.9) -
    Math.abs(Math.floor(20 * step) - 7) / 5 -
    (Math.floor(6 * word) === 4 ? 0 : 1);
  const scales = Float64Array.of(0.5, 0.5, 0.5, 0.5);
  let [found, drawn] = [0, 0];
  for (let seed = 0; seed < 10; seed++) {
    let evaluations = 0;
    const counted = (point: readonly number[]) => {
      evaluations++;
      return value(point);
    };
    const point = maximise(DIMENSIONS, counted, [[0.5, 0.5, 0.5, 0.5]], scales, new Random(seed));
    expect([Math.floor(20 * point[2]), Math.floor(6 * point[3])]).toEqual([7, 4]);
    const random = new Random(seed, 'random points');
    const others = Array.from({ length: evaluations }, () => value(DIMENSIONS.map(() => random.uniform())));
    found += value(point) / 10;
    drawn += Math.max(...others) / 10;
  }
  expect(found).toBeGreaterThan(drawn);
});

it('a narrow peak is found from a start', () => {
  const value = (point: readonly number[]) => Math.exp(-1e6 * point.reduce((sum, x) => sum + (x - 0.4321) ** 2, 0));
  const start = [0.433, 0.433];
  const scales = Float64Array.of(0.01, 0.01);
  const found = maximise(DIMENSIONS.slice(0, 2), value, [start], scales, new Random(0));
  expect(value(found)).toBeGreaterThan(0.9);
});
