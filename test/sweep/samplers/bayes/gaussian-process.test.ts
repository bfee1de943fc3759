import { describe, expect, it } from 'vitest';
import { Random } from '../../../../src/random.ts';
import { GaussianProcess } from '../../../../src/sweep/samplers/bayes/gaussian-process.ts';
import { fitHyperparameters, LogPosterior } from '../../../../src/sweep/samplers/bayes/hyperparameters.ts';
import { matern, positionsOf } from '../../../../src/sweep/samplers/bayes/kernel.ts';
import type { Dimension, Point } from '../../../../src/sweep/samplers/sampler.ts';
import { invert, product } from './inverse.ts';

const RANGE: Dimension = { levels: Infinity, isOrdered: true };
const STEPS: Dimension = { levels: 5, isOrdered: true };
const WORDS: Dimension = { levels: 3, isOrdered: false };

const DIMENSIONS = [RANGE, STEPS, WORDS];
const POINTS: readonly Point[] = [
  [0.1, 0.05, 0.1],
  [0.2, 0.55, 0.1],
  [0.9, 0.99, 0.5],
  [0.4, 0.3, 0.9],
  [0.45, 0.35, 0.5],
];
const SCORES = [-1.2, 0.3, 1.1, 0.4, -0.6];
const LENGTH_SCALES = [0.3, 0.8, 1.5];
const NOISE = 0.01;

/** Squared distance in length scales, by hand. */
function squared(a: Point, b: Point): number {
  const step = (Math.floor(5 * a[1]) - Math.floor(5 * b[1])) / 5;
  const word = Math.floor(3 * a[2]) === Math.floor(3 * b[2]) ? 0 : 1;
  return ((a[0] - b[0]) / 0.3) ** 2 + (step / 0.8) ** 2 + (word / 1.5) ** 2;
}

function covarianceOf(points: readonly Point[]): number[][] {
  return points.map((a, i) => points.map((b, j) => matern(squared(a, b)) + (i === j ? NOISE : 0)));
}

it('the kernel is that of the formula', () => {
  expect(matern(0)).toBe(1);
  // (1 + √5 r + 5r²/3) e^(−√5 r) in Python.
  expect(matern(1)).toBeCloseTo(0.5239941088318203, 12);
  expect(matern(4)).toBeCloseTo(0.13866021913850426, 12);
});

describe('a Gaussian process', () => {
  const hyperparameters = { lengthScales: Float64Array.from(LENGTH_SCALES), noise: NOISE };
  const candidates: readonly Point[] = [
    [0.15, 0.5, 0.2],
    [0.99, 0.01, 0.99],
    [0.1, 0.05, 0.1],
  ];

  it('predicts the mean and deviation of the formula', () => {
    const process = new GaussianProcess(DIMENSIONS, POINTS, Float64Array.from(SCORES), hyperparameters);
    const { inverse } = invert(covarianceOf(POINTS));
    const variance = (product(SCORES, inverse, SCORES) + 1) / (SCORES.length + 1);
    for (const point of candidates) {
      const kernels = POINTS.map((other) => matern(squared(point, other)));
      const [mean, deviation] = process.predict(point);
      expect(mean).toBeCloseTo(product(kernels, inverse, SCORES), 10);
      expect(process.mean(point)).toBe(mean);
      expect(deviation).toBeCloseTo(Math.sqrt(variance * (1 - product(kernels, inverse, kernels))), 10);
    }
  });

  it('takes pending points as if they had the mean as their score', () => {
    const pending: readonly Point[] = [
      [0.16, 0.5, 0.2],
      [0.7, 0.2, 0.7],
    ];
    const known = new GaussianProcess(DIMENSIONS, POINTS, Float64Array.from(SCORES), hyperparameters);
    const all = new GaussianProcess(DIMENSIONS, [...POINTS, ...pending], Float64Array.from(SCORES), hyperparameters);
    const points = [...POINTS, ...pending];
    const scores = [...SCORES, ...pending.map((point) => known.mean(point))];
    const { inverse } = invert(covarianceOf(points));
    const { inverse: smaller } = invert(covarianceOf(POINTS));
    const variance = (product(SCORES, smaller, SCORES) + 1) / (SCORES.length + 1);
    for (const point of candidates) {
      const kernels = points.map((other) => matern(squared(point, other)));
      const [mean, deviation] = all.predict(point);
      expect(mean).toBeCloseTo(product(kernels, inverse, scores), 10);
      expect(deviation).toBeCloseTo(Math.sqrt(variance * (1 - product(kernels, inverse, kernels))), 10);
    }
  });
});

describe('hyperparameters', () => {
  const posterior = new LogPosterior(DIMENSIONS, positionsOf(DIMENSIONS, POINTS), Float64Array.from(SCORES));
  const logs = Float64Array.of(...LENGTH_SCALES.map(Math.log), Math.log(NOISE - 1e-6));

  it('have the posterior probability of the formula', () => {
    const { inverse, determinant } = invert(covarianceOf(POINTS));
    const n = SCORES.length;
    const variance = (product(SCORES, inverse, SCORES) + 1) / (n + 1);
    const gamma = (x: number, shape: number, rate: number) => (shape - 1) * Math.log(x) - rate * x;
    const priors = LENGTH_SCALES.reduce((sum, scale) => sum + gamma(scale, 3, 6), gamma(NOISE, 1.1, 30));
    const likelihood = -((n + 1) * Math.log(variance) + Math.log(determinant)) / 2;
    expect(posterior.at(logs).value).toBeCloseTo(likelihood + priors, 10);
  });

  it('have its derivatives', () => {
    const { gradient } = posterior.at(logs);
    for (let k = 0; k < logs.length; k++) {
      const at = (shift: number) => posterior.at(logs.map((x, i) => (i === k ? x + shift : x))).value;
      expect(gradient[k]).toBeCloseTo((at(1e-5) - at(-1e-5)) / 2e-5, 6);
    }
  });

  it('show which dimension matters, and how much of a score is noise', () => {
    const random = new Random(4);
    const points = Array.from({ length: 60 }, () => [random.uniform(), random.uniform()]);
    const fitted = (noise: number) => {
      const scores = Float64Array.from(points, ([x]) => Math.sin(9 * x) + noise * random.normal());
      const dimensions = [RANGE, RANGE];
      return fitHyperparameters(dimensions, positionsOf(dimensions, points), scores);
    };
    const [exact, noisy] = [fitted(0), fitted(0.5)];
    expect(exact.lengthScales[1]).toBeGreaterThan(2 * exact.lengthScales[0]);
    expect(exact.noise).toBeLessThan(1e-3);
    expect(noisy.noise).toBeGreaterThan(0.03);
  });

  it('are finite if all scores are equal, or there is one', () => {
    for (const n of [1, 5]) {
      const fit = fitHyperparameters(DIMENSIONS, positionsOf(DIMENSIONS, POINTS.slice(0, n)), new Float64Array(n));
      for (const x of [...fit.lengthScales, fit.noise]) expect(Number.isFinite(x) && x > 0).toBe(true);
    }
  });
});
