import { expect, it } from 'vitest';
import { logExpectedImprovement } from '../../../../src/sweep/samplers/bayes/expected-improvement.ts';

/** E max(0, f − best) by Simpson's rule, divided by the density where f is best: that would underflow. */
function scaledImprovement(z: number): number {
  const [steps, end] = [20_000, 20];
  // (u)⁺ φ(u − z) / φ(z), where u is the improvement in deviations.
  const integrand = (u: number) => u * Math.exp(-(u * u) / 2 + u * z);
  const h = end / steps;
  let sum = 0;
  for (let k = 0; k <= steps; k++) sum += (k === 0 || k === steps ? 1 : k % 2 ? 4 : 2) * integrand(k * h);
  return (sum * h) / 3;
}

it.each([-40, -9, -3, -1.0001, -1, -0.5, 0, 1, 4])('the improvement is the integral at z = %f', (z) => {
  const [deviation, best] = [0.3, 1.7];
  const expected = Math.log(deviation * scaledImprovement(z)) - (z * z) / 2 - Math.log(2 * Math.PI) / 2;
  expect(logExpectedImprovement(best + z * deviation, deviation, best)).toBeCloseTo(expected, 5);
});

it('rises with the mean, and far from the best with the deviation, however small it is', () => {
  for (const mean of [-1e4, -100, -1, -0.01])
    expect(logExpectedImprovement(mean, 1, 0)).toBeGreaterThan(logExpectedImprovement(1.001 * mean, 1, 0));
  expect(logExpectedImprovement(-100, 2, 0)).toBeGreaterThan(logExpectedImprovement(-100, 1, 0));
  expect(logExpectedImprovement(-100, 1e-3, 0)).toBeGreaterThan(-Infinity);
});
