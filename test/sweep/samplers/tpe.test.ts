import { describe, expect, it } from 'vitest';
import { Random } from '../../../src/random.ts';
import { randomSampler } from '../../../src/sweep/samplers/random.ts';
import type { Observation } from '../../../src/sweep/samplers/sampler.ts';
import { sobolSampler } from '../../../src/sweep/samplers/sobol.ts';
import { tpeSampler } from '../../../src/sweep/samplers/tpe.ts';
import { expectAsLow, expectLower, meanBest, OPTUNA } from './best-values.ts';
import { FUNCTIONS } from './functions.ts';

describe.each(Object.entries(FUNCTIONS))('on the function %s', (name, f) => {
  const reference = OPTUNA.functions[name];
  const tpe = (lag: number) => (seed: number) => tpeSampler(f.dimensions, seed, lag);

  it('is minimised as it is in Python', () => {
    expect(f.value(...f.names.map((argument) => reference.point[argument]))).toBeCloseTo(reference.value, 10);
  });

  it('TPE finds as low a value as that of Optuna', () => {
    expectAsLow(meanBest(f, tpe(0), 100), reference.mean);
  });

  it('TPE with a lag finds as low a value as Optuna with as many unknown results, and a lower one than random points', () => {
    const found = meanBest(f, tpe(OPTUNA.lag), 50);
    expectAsLow(found, reference.laggingMean);
    expectLower(
      found,
      meanBest(f, (seed) => randomSampler(f.dimensions, seed), 50),
    );
  });
});

describe('TPE', () => {
  const RANGES = [0, 1].map(() => ({ levels: Infinity, isOrdered: true }));

  it('starts with the points of the Sobol sequence', () => {
    const [tpe, sobol] = [tpeSampler(RANGES, 5, 8), sobolSampler(RANGES, 5)];
    for (let trial = 0; trial < 10; trial++) expect(tpe.propose(trial, [])).toEqual(sobol.propose(trial, []));
    expect(tpe.propose(10, [])).not.toEqual(sobol.propose(10, []));
  });

  it('does not see the last results, nor those that are unknown', () => {
    const tpe = tpeSampler(RANGES, 0, 8);
    const random = new Random(1);
    const history: Observation[] = Array.from({ length: 30 }, () => ({
      point: [random.uniform(), random.uniform()],
      score: random.uniform(),
    }));
    const proposal = tpe.propose(30, history);
    const changed = (at: number, score: number | null) =>
      tpe.propose(
        30,
        history.map((one, i) => (i === at ? { ...one, score } : one)),
      );
    for (let at = 22; at < 30; at++)
      for (const score of [null, 9, -Infinity]) expect(changed(at, score)).toEqual(proposal);
    expect(changed(21, 9)).not.toEqual(changed(21, -Infinity));
  });

  it('prefers the neighbourhood of good points to that of diverged ones', () => {
    const history: Observation[] = Array.from({ length: 40 }, (_, i) => {
      const point = [(i % 8) / 8 + 0.05, Math.floor(i / 8) / 5 + 0.05];
      return { point, score: point[0] > 0.6 ? 1 - point[0] : -Infinity };
    });
    const proposals = Array.from({ length: 50 }, (_, seed) => tpeSampler(RANGES, seed, 0).propose(40, history));
    expect(proposals.filter(([x]) => x > 0.5).length).toBeGreaterThan(40);
  });

  it('searches everywhere if no trial has a result, or all diverged', () => {
    for (const score of [null, -Infinity]) {
      const history: Observation[] = Array.from({ length: 40 }, () => ({ point: [0.1, 0.1], score }));
      const proposals = Array.from({ length: 50 }, (_, seed) => tpeSampler(RANGES, seed, 8).propose(40, history));
      expect(proposals.filter(([x, y]) => x < 0.2 && y < 0.2).length).toBeLessThan(10);
    }
  });

  it('repeats no combination of a finite space before it has to', () => {
    const dimensions = [
      { levels: 3, isOrdered: false },
      { levels: 4, isOrdered: true },
    ];
    const history: Observation[] = [];
    const tpe = tpeSampler(dimensions, 0, 8);
    const seen = new Set<string>();
    for (let trial = 0; trial < 40; trial++) {
      const point = tpe.propose(trial, history);
      history.push({ point, score: -point[1] });
      seen.add(`${Math.floor(3 * point[0])} ${Math.floor(4 * point[1])}`);
    }
    expect(seen.size).toBe(12);
  });
});
