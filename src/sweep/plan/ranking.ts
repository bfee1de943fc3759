import { metricValue } from './definition.ts';
import type { Plan, Trial } from './plan.ts';

/** A place in the ranking. */
export interface Ranked {
  readonly trial: number;
  /** The highest rung that it has finished. */
  readonly rung: number;
  /** Mean of the metric over the seeds; null if the trial diverged or failed. */
  readonly mean: number | null;
  /** Sample standard deviation, with n − 1; null for one seed. */
  readonly deviation: number | null;
  /** Number of seeds with a result. */
  readonly seeds: number;
}

interface Entry {
  readonly ranked: Ranked;
  readonly isFinalist: boolean;
  /** Whether it diverged or failed with one of its seeds. */
  readonly isBroken: boolean;
  /** Mean score over the seeds; −Infinity if there is none. */
  readonly score: number;
}

/** Ranks the trials that have a result, best first: those with more epochs before those with fewer, the finalists first, then by
 *  the mean of the metric. Finalists that diverged with one of their seeds come after the others, and trials that diverged or
 *  failed come last. Of equal trials, the first wins. */
export function rankingOf(plan: Plan): Ranked[] {
  const finalists = new Set(plan.finalists);
  const entries = [...plan.standings].flatMap(([trial, rung]) => entryOf(plan, trial, rung, finalists.has(trial)));
  const order: ((entry: Entry) => number)[] = [
    ({ ranked }) => Number(ranked.mean !== null),
    ({ ranked }) => ranked.rung,
    ({ isFinalist }) => Number(isFinalist),
    ({ isBroken }) => -Number(isBroken),
    ({ score }) => score,
    ({ ranked }) => -ranked.trial,
  ];
  const compare = (a: Entry, b: Entry) => {
    const key = order.find((keyOf) => keyOf(a) !== keyOf(b));
    return key === undefined ? 0 : key(b) - key(a);
  };
  return entries.sort(compare).map(({ ranked }) => ranked);
}

/** @param reached the highest rung that the trial takes part in. */
function entryOf(plan: Plan, trial: Trial, reached: number, isFinalist: boolean): Entry[] {
  const [first, ...others] = plan.seedsOf(trial);
  // Whoever takes part in a rung has a score on the one before.
  const rung = plan.scoreAt(trial, reached, first) === undefined ? reached - 1 : reached;
  if (rung < 0) return [];
  const seeds = isFinalist ? [first, ...others] : [first];
  const known = seeds.map((seed) => plan.scoreAt(trial, rung, seed)).filter((score) => score !== undefined);
  const scores = known.filter(Number.isFinite);
  const score = scores.length > 0 ? meanOf(scores) : -Infinity;
  const ranked = {
    trial: trial.number,
    rung,
    mean: scores.length > 0 ? metricValue(plan.definition.metric, score) : null,
    deviation: scores.length > 1 ? deviationOf(scores, score) : null,
    seeds: scores.length,
  };
  return [{ ranked, isFinalist, isBroken: scores.length < known.length, score }];
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** √(Σ (x − mean)² / (n − 1)) */
function deviationOf(values: readonly number[], mean: number): number {
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
