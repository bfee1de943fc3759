import { describe, expect, it } from 'vitest';
import { Random } from '../../../src/random.ts';
import { normalDensity, normalMass } from '../../../src/sweep/samplers/normal.ts';
import { ParzenEstimator } from '../../../src/sweep/samplers/parzen.ts';

describe('the normal distribution', () => {
  // Source: math.erfc of Python.
  it.each([
    [-1, 1, 0.6826894921370859],
    [0, 2, 0.4772498680518208],
    [-0.5, 3, 0.690112563242383],
    [1, 1.25, 0.05300548026460179],
    [3, 4, 0.0013182267897969757],
    [-9, -7.5, 3.19088038702686e-14],
    [6.5, 8, 4.0159383742533824e-11],
    [-40, 40, 1],
    [20, 40, 0],
  ])('has from %f to %f the mass %f', (low, high, mass) => {
    expect(Math.abs(normalMass(low, high) - mass)).toBeLessThanOrEqual(1e-7 * mass);
  });

  it('has the density of its formula', () => {
    expect(normalDensity(0)).toBeCloseTo(0.3989422804014327, 15);
    expect(normalDensity(-2)).toBeCloseTo(0.05399096651318806, 15);
  });
});

const RANGE = { levels: Infinity, isOrdered: true };
const STEPS = { levels: 5, isOrdered: true };
const WORDS = { levels: 3, isOrdered: false };

describe('a density estimated from points', () => {
  it('is uniform over words, and has one wide kernel in the middle, without a point', () => {
    expect(new ParzenEstimator([WORDS], []).density([0.9])).toBeCloseTo(1 / 3, 12);
    const estimate = new ParzenEstimator([RANGE], []);
    const share = normalMass(-0.5, 0.5);
    for (const x of [0, 0.3, 0.5]) expect(estimate.density([x])).toBeCloseTo(normalDensity(x - 0.5) / share, 12);
  });

  it('has around each point a kernel as wide as the distance to the farther neighbour', () => {
    const estimate = new ParzenEstimator([RANGE], [[0.2], [0.3], [0.7]]);
    // 0.1 is below the least deviation 1/5; the last kernel is the prior.
    const kernels = [
      [0.2, 0.2],
      [0.3, 0.4],
      [0.7, 0.4],
      [0.5, 1],
    ];
    for (const x of [0.05, 0.25, 0.9]) {
      const terms = kernels.map(
        ([mean, s]) => normalDensity((x - mean) / s) / s / normalMass(-mean / s, (1 - mean) / s) / kernels.length,
      );
      expect(estimate.density([x])).toBeCloseTo(
        terms.reduce((sum, term) => sum + term),
        12,
      );
    }
  });

  it('gives a word the share of its points, smoothed', () => {
    const estimate = new ParzenEstimator([WORDS], [[0.1], [0.1], [0.9]]);
    // Each of the three kernels has the weights 1/4 for all words and 1 more for its own.
    const [own, other] = [1.25 / 1.75, 0.25 / 1.75];
    expect(estimate.density([0])).toBeCloseTo((2 * own + other + 1 / 3) / 4, 12);
    expect(estimate.density([0.5])).toBeCloseTo((3 * other + 1 / 3) / 4, 12);
    expect(estimate.density([0.99])).toBeCloseTo((own + 2 * other + 1 / 3) / 4, 12);
  });

  it('counts all but the last 25 points less', () => {
    // 26 old points, of weights 1/51 to 1, then 25 of weight 1, and the prior.
    const points = Array.from({ length: 51 }, (_, i) => [i === 0 ? 0.1 : i === 25 ? 0.5 : 0.9]);
    const estimate = new ParzenEstimator([WORDS], points);
    const rise = (i: number) => 1 / 51 + ((50 / 51) * i) / 25;
    const old = Array.from({ length: 26 }, (_, i) => rise(i));
    const total = old.reduce((sum, weight) => sum + weight) + 26;
    const [own, other] = [(1 + 1 / 52) / (1 + 3 / 52), 1 / 52 / (1 + 3 / 52)];
    expect(estimate.density([0.1])).toBeCloseTo((rise(0) * (own - other) + (total - 1) * other + 1 / 3) / total, 12);
    expect(estimate.density([0.5])).toBeCloseTo((rise(25) * (own - other) + (total - 1) * other + 1 / 3) / total, 12);
  });

  it('sums to 1, and is that of its samples', () => {
    const random = new Random(3);
    const dimensions = [RANGE, STEPS, WORDS];
    const points = Array.from({ length: 6 }, () => dimensions.map(() => random.uniform() ** 2));
    const estimate = new ParzenEstimator(dimensions, points);
    const [cells, samples] = [40, 20_000];
    const counts = new Map<number, number>();
    for (let i = 0; i < samples; i++) {
      const [x, step, word] = estimate.sample(random);
      const bin = (Math.floor(4 * x) * 5 + Math.floor(5 * step)) * 3 + Math.floor(3 * word);
      counts.set(bin, (counts.get(bin) ?? 0) + 1);
    }
    let total = 0;
    for (let bin = 0; bin < 60; bin++) {
      const [quarter, step, word] = [Math.floor(bin / 15), Math.floor(bin / 3) % 5, bin % 3];
      let mass = 0;
      for (let k = 0; k < cells; k++) {
        const x = (quarter + (k + 0.5) / cells) / 4;
        mass += estimate.density([x, (step + 0.5) / 5, (word + 0.5) / 3]) / (4 * cells);
      }
      total += mass;
      const deviation = Math.sqrt((mass * (1 - mass)) / samples);
      expect(Math.abs((counts.get(bin) ?? 0) / samples - mass)).toBeLessThan(5 * deviation + 1e-4);
    }
    expect(total).toBeCloseTo(1, 4);
  });
});
