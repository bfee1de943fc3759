import { describe, expect, it } from 'vitest';
import { directionNumbers, sobolInteger, sobolSampler } from '../../../src/sweep/samplers/sobol.ts';

const DIMENSIONS = 40;
const RANGES = Array.from({ length: DIMENSIONS }, () => ({ levels: Infinity, isOrdered: true }));

/** The first points of three dimensions. Source: the example of S. Joe and F. Y. Kuo, "Sobol sequence generator" (2010). */
const PUBLISHED = [
  [0.0, 0.0, 0.0],
  [0.5, 0.5, 0.5],
  [0.75, 0.25, 0.25],
  [0.25, 0.75, 0.75],
  [0.375, 0.375, 0.625],
  [0.875, 0.875, 0.125],
  [0.625, 0.125, 0.875],
  [0.125, 0.625, 0.375],
  [0.1875, 0.3125, 0.9375],
  [0.6875, 0.8125, 0.4375],
];

/** Points 37 and 63 of 40 dimensions, times 64. Source: scipy.stats.qmc.Sobol(40, scramble=False) of SciPy 1.17. */
const SCIPY = [
  [
    37,
    [
      59, 41, 37, 59, 49, 19, 11, 51, 39, 11, 1, 5, 37, 55, 7, 31, 51, 27, 3, 9, 61, 5, 35, 41, 19, 23, 51, 25, 33, 7,
      23, 9, 39, 23, 55, 47, 57, 43, 61, 5,
    ],
  ],
  [
    63,
    [
      1, 51, 23, 29, 55, 9, 37, 9, 53, 37, 27, 43, 35, 49, 21, 49, 5, 25, 61, 15, 15, 35, 25, 35, 61, 41, 13, 19, 19,
      29, 1, 59, 53, 33, 61, 61, 55, 13, 59, 11,
    ],
  ],
] as const;

/** Point n of the sequence without a shift. */
const point = (n: number, dimensions = DIMENSIONS) =>
  Array.from({ length: dimensions }, (_, d) => sobolInteger(directionNumbers(d), n) / 2 ** 32);

describe('the Sobol sequence', () => {
  it('begins with the published points', () => {
    expect(Array.from({ length: 10 }, (_, n) => point(n, 3))).toEqual(PUBLISHED);
  });

  it.each(SCIPY)('has the point %i of SciPy', (n, wanted) => {
    expect(point(n).map((x) => x * 64)).toEqual(wanted);
  });

  it('has one point in each of 2^k equal parts of every dimension', () => {
    for (const k of [16, 256]) {
      for (let d = 0; d < DIMENSIONS; d++) {
        const parts = Array.from({ length: k }, (_, n) =>
          Math.floor((sobolInteger(directionNumbers(d), n) / 2 ** 32) * k),
        );
        expect(new Set(parts).size).toBe(k);
      }
    }
  });
});

describe('the Sobol sampler', () => {
  it('shifts all points by the same bits', () => {
    const bits = (x: number) => (x * 2 ** 32) >>> 0;
    const [a, b] = [sobolSampler(RANGES, 1), sobolSampler(RANGES, 2)];
    const shift = a.propose(0, []).map(bits);
    for (const trial of [1, 5, 100]) {
      expect(a.propose(trial, []).map((x, d) => (bits(x) ^ shift[d]) >>> 0)).toEqual(point(trial).map(bits));
    }
    expect(b.propose(0, [])).not.toEqual(a.propose(0, []));
    expect(new Set(shift).size).toBe(DIMENSIONS);
  });
});
