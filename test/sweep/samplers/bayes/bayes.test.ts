import { describe, expect, it } from 'vitest';
import { Random } from '../../../../src/random.ts';
import { bayesSampler, standardised } from '../../../../src/sweep/samplers/bayes/bayes.ts';
import { randomSampler } from '../../../../src/sweep/samplers/random.ts';
import type { Observation } from '../../../../src/sweep/samplers/sampler.ts';
import { sobolSampler } from '../../../../src/sweep/samplers/sobol.ts';
import { expectAsLow, expectLower, meanBest, OPTUNA } from '../best-values.ts';
import { FUNCTIONS } from '../functions.ts';

const RANGES = [0, 1].map(() => ({ levels: Infinity, isOrdered: true }));

describe.each(Object.entries(FUNCTIONS))('on the function %s', (name, f) => {
  it('Bayesian optimisation with a lag finds as low a value as TPE of Optuna that knows all results, and a lower one than random points', () => {
    const found = meanBest(f, (seed) => bayesSampler(f.dimensions, seed, OPTUNA.lag), 20);
    expectAsLow(found, OPTUNA.functions[name].mean);
    expectLower(
      found,
      meanBest(f, (seed) => randomSampler(f.dimensions, seed), 50),
    );
  });
});

describe('Bayesian optimisation', () => {
  it('starts with the points of the Sobol sequence, until ten results are known', () => {
    const [bayes, sobol] = [bayesSampler(RANGES, 5, 8), sobolSampler(RANGES, 5)];
    const history: Observation[] = [];
    for (let trial = 0; trial < 19; trial++) {
      const point = bayes.propose(trial, history);
      if (trial < 18) expect(point).toEqual(sobol.propose(trial, []));
      else expect(point).not.toEqual(sobol.propose(trial, []));
      history.push({ point, score: point[0] });
    }
  });

  it('does not see the last results, nor those that are unknown', () => {
    const bayes = bayesSampler(RANGES, 0, 8);
    const random = new Random(1);
    const history: Observation[] = Array.from({ length: 30 }, () => {
      const point = [random.uniform(), random.uniform()];
      return { point, score: -((point[0] - 0.3) ** 2) - (point[1] - 0.6) ** 2 };
    });
    const proposal = bayes.propose(30, history);
    const changed = (at: number, score: number | null) =>
      bayes.propose(
        30,
        history.map((one, i) => (i === at ? { ...one, score } : one)),
      );
    for (let at = 22; at < 30; at++)
      for (const score of [null, 9, -Infinity]) expect(changed(at, score)).toEqual(proposal);
    expect(changed(21, 9)).not.toEqual(changed(21, -Infinity));
  });

  it('keeps away from points whose results are pending', () => {
    const known: Observation[] = Array.from({ length: 25 }, (_, i) => {
      const point = [((i % 5) + 0.5) / 5, (Math.floor(i / 5) + 0.5) / 5];
      return { point, score: -((point[0] - 0.6) ** 2) - (point[1] - 0.4) ** 2 };
    });
    const history = [...known];
    for (let trial = 25; trial < 31; trial++) {
      history.push({ point: bayesSampler(RANGES, 0, 8).propose(trial, history), score: null });
    }
    const pending = history.slice(25).map(({ point }) => point);
    for (const [i, a] of pending.entries())
      for (const b of pending.slice(i + 1)) expect(Math.hypot(a[0] - b[0], a[1] - b[1])).toBeGreaterThan(1e-3);
  });

  it('finds where trials do not diverge, and searches everywhere if all do', () => {
    const history: Observation[] = Array.from({ length: 40 }, (_, i) => {
      const point = [(i % 8) / 8 + 0.05, Math.floor(i / 8) / 5 + 0.05];
      return { point, score: point[0] > 0.6 ? 1 - point[0] : -Infinity };
    });
    const proposals = Array.from({ length: 20 }, (_, seed) => bayesSampler(RANGES, seed, 0).propose(40, history));
    expect(proposals.filter(([x]) => x > 0.5).length).toBeGreaterThan(15);
    const none = history.map(({ point }) => ({ point, score: -Infinity }));
    expect(bayesSampler(RANGES, 3, 8).propose(40, none)).toEqual(sobolSampler(RANGES, 3).propose(40, []));
  });

  it('uses the best and the latest of more than a hundred results', () => {
    const random = new Random(2);
    const history: Observation[] = Array.from({ length: 150 }, (_, i) => {
      const point = [random.uniform(), random.uniform()];
      return { point, score: i < 40 ? -9 : -((point[0] - 0.3) ** 2) - (point[1] - 0.6) ** 2 };
    });
    const bayes = bayesSampler(RANGES, 0, 0);
    const proposal = bayes.propose(150, history);
    const changed = (at: number) =>
      bayes.propose(
        150,
        history.map((one, i) => (i === at ? { ...one, score: -0.5 } : one)),
      );
    for (const unused of [0, 39]) expect(changed(unused)).toEqual(proposal);
    for (const used of [148, 149]) expect(changed(used)).not.toEqual(proposal);
  });

  it('repeats no combination of a finite space before it has to', () => {
    const dimensions = [
      { levels: 3, isOrdered: false },
      { levels: 4, isOrdered: true },
    ];
    const history: Observation[] = [];
    const bayes = bayesSampler(dimensions, 0, 0);
    const combinations = () => {
      const point = bayes.propose(history.length, history);
      history.push({ point, score: -point[1] });
      return `${Math.floor(3 * point[0])} ${Math.floor(4 * point[1])}`;
    };
    for (let trial = 0; trial < 10; trial++) combinations();
    const seen = new Set(history.map(({ point: [a, b] }) => `${Math.floor(3 * a)} ${Math.floor(4 * b)}`));
    while (seen.size < 12) {
      const next = combinations();
      expect(seen.has(next)).toBe(false);
      seen.add(next);
    }
    expect(history.length).toBeLessThan(20);
    combinations();
  });

  it('proposes the same bits in every version of Node', () => {
    const dimensions = [...RANGES, { levels: 4, isOrdered: true }, { levels: 3, isOrdered: false }];
    const history: Observation[] = [];
    const bayes = bayesSampler(dimensions, 7, 8);
    for (let trial = 0; trial < 40; trial++) {
      const point = bayes.propose(trial, history);
      const [x, y, step, word] = point;
      history.push({
        point,
        score: trial % 9 === 4 ? -Infinity : (x - 0.3) * y - step * x * x + (word < 0.3 ? 0.1 : 0),
      });
    }
    expect(history.at(-1)!.point).toEqual([
      0.9754302980613403, 0.9999999999999998, 0.24892094516447194, 0.01704523409716785,
    ]);
  });
});

describe('standardised scores', () => {
  it('have mean 0 and deviation 1', () => {
    const scores = standardised([3, 1, 2, 4]);
    expect(scores.reduce((sum, x) => sum + x, 0)).toBeCloseTo(0, 12);
    expect(scores.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(4, 12);
  });

  it('are no farther below the median than the best is above it', () => {
    expect(standardised([1, 2, 3, -1e9, 2.5, -Infinity])).toEqual(standardised([1, 2, 3, 1, 2.5, 1]));
    expect(standardised([2, 2, -Infinity])).toEqual(standardised([2, 2, 1]));
    expect([...standardised([4, 4, 4])]).toEqual([0, 0, 0]);
  });
});
