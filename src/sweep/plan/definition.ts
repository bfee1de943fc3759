import type { Config } from '../../config/config.ts';
import type { Method } from '../samplers/sampler.ts';
import type { Space } from '../space/space.ts';

/** Metrics that trials can be ranked by, and whether higher or lower is better. The test images choose nothing. */
export const GOALS = { 'validation.accuracy': 'maximize', 'validation.loss': 'minimize' } as const;
export type MetricName = keyof typeof GOALS;
export const METRICS = Object.keys(GOALS) as MetricName[];

/** What a sweep is: all that its trials and their order follow from. */
export interface Definition {
  /** Hyperparameters that are given for all trials. Others have the default that follows from the values of a trial. */
  readonly base: Partial<Config>;
  readonly space: Space;
  readonly method: Method;
  /** Of the proposals. */
  readonly seed: number;
  readonly metric: MetricName;
  /** η of successive halving: one of η trials goes on to the next rung. Null without halving. */
  readonly halving: number | null;
  /** Epochs after which the trials of a cohort are compared; the last is the length of a whole training. */
  readonly rungs: readonly number[];
  readonly trials: number;
  /** Trainings of each finalist, with as many seeds. */
  readonly seeds: number;
}

/** Rungs of successive halving: the epochs of a whole training, and those divided by η, η², … while they are at least
 *  `minEpochs`.
 *  Source: K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization" (2016). */
export function rungsOf(epochs: number, halving: number | null, minEpochs = 1): number[] {
  const rungs = [epochs];
  while (halving !== null && rungs[0] >= halving * minEpochs) rungs.unshift(Math.floor(rungs[0] / halving));
  return rungs;
}

/** Number of trials that are compared with each other on the rungs: η for each rung, so that η of them reach the end. */
export function cohortSize({ halving, rungs, trials }: Definition): number {
  return halving === null ? trials : halving ** rungs.length;
}

interface Validation {
  readonly loss: number;
  readonly accuracy: number;
}

/** The value of a metric. */
export function metricOf(metric: MetricName, { loss, accuracy }: Validation): number {
  return metric === 'validation.loss' ? loss : accuracy;
}

/** How good a trial is: higher is better. */
export function scoreOf(metric: MetricName, validation: Validation): number {
  return metricValue(metric, metricOf(metric, validation));
}

/** The value of the metric that has a score, and the score that has a value. */
export function metricValue(metric: MetricName, score: number): number {
  return GOALS[metric] === 'minimize' ? -score : score;
}
