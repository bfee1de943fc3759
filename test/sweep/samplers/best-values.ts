import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Observation, Sampler } from '../../../src/sweep/samplers/sampler.ts';
import type { TestFunction } from './functions.ts';

/** Mean of the best values, and its standard error. */
type Mean = readonly [mean: number, error: number];

/** Of Optuna; see optuna-tpe.py. */
export const OPTUNA: {
  readonly trials: number;
  readonly lag: number;
  readonly functions: Readonly<
    Record<string, { point: Readonly<Record<string, number>>; value: number; mean: Mean; laggingMean: Mean }>
  >;
} = JSON.parse(readFileSync(new URL('../../fixtures/optuna-tpe.json', import.meta.url), 'utf8'));

function best({ at, value }: TestFunction, sampler: Sampler): number {
  const history: Observation[] = [];
  for (let trial = 0; trial < OPTUNA.trials; trial++) {
    const point = sampler.propose(trial, history);
    history.push({ point, score: -value(...at(point)) });
  }
  return -Math.max(...history.map(({ score }) => score!));
}

/** Of the lowest values that a sampler finds, over seeds. */
export function meanBest(f: TestFunction, create: (seed: number) => Sampler, seeds: number): Mean {
  const values = Array.from({ length: seeds }, (_, seed) => best(f, create(seed)));
  const mean = values.reduce((sum, value) => sum + value) / seeds;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return [mean, Math.sqrt(squares / (seeds - 1) / seeds)];
}

/** Checks that a mean is lower than another one, or higher by no more than the standard error of their difference. */
export function expectAsLow([mean, error]: Mean, [reference, referenceError]: Mean): void {
  expect(mean - reference).toBeLessThan(Math.hypot(error, referenceError));
}

/** Checks that a mean is lower than another one, and not by chance. */
export function expectLower([mean, error]: Mean, [reference, referenceError]: Mean): void {
  expect(mean).toBeLessThan(reference - 2 * Math.hypot(error, referenceError));
}
