import type { DatasetName } from '../../images.ts';
import type { Metrics } from '../../training/evaluate.ts';

/** Data of a sweep's page, which contains it as JSON. */
export interface SweepReport {
  /** Program and version, such as "nn-train 0.1.0". */
  readonly generator: string;
  /** Folder of the sweep, as given by the user. */
  readonly name: string;
  readonly state: 'running' | 'stopped' | 'finished';
  /** Command that goes on with a sweep that was stopped. */
  readonly resumeCommand?: string | undefined;
  readonly method: 'grid' | 'random' | 'sobol' | 'tpe' | 'bayes';
  readonly seed: number;
  readonly metric: { readonly name: 'validation.accuracy' | 'validation.loss'; readonly goal: 'maximize' | 'minimize' };
  readonly dataset: { readonly name: DatasetName; readonly source: string; readonly sha256: string };
  /** Epochs after which trials are compared; the last is the length of a whole training. */
  readonly rungs: readonly number[];
  /** Trials planned in all. */
  readonly planned: number;
  readonly parameters: readonly SweptParameter[];
  /** Hyperparameters that all trials share. */
  readonly base: Readonly<Record<string, Value>>;
  readonly trials: readonly TrialReport[];
  /** Trials that have a result, best first. */
  readonly ranking: readonly Ranked[];
  /** Null until the sweep has finished. */
  readonly winner: {
    readonly trial: number;
    /** Command that trains it again. */
    readonly command: string;
    readonly config: Readonly<Record<string, Value>>;
    readonly test: {
      readonly accuracy: number;
      readonly loss: number;
      readonly images: number;
      /** 95 % Wilson score interval of the accuracy. */
      readonly interval: readonly [low: number, high: number];
    } | null;
    /** Sentences about values at the border of the space, with the range to try next. */
    readonly borders: readonly string[];
  } | null;
}

export type Value = string | number | boolean | null;

export interface SweptParameter {
  /** Name of the hyperparameter, such as weightDecay. */
  readonly name: string;
  readonly scale: 'linear' | 'log' | 'choice';
  /** Lowest and highest value, or all choices. */
  readonly domain: readonly Value[];
}

export interface TrialReport {
  readonly trial: number;
  /** Values of the swept hyperparameters; absent for those that have no effect in this trial. */
  readonly values: Readonly<Record<string, Value>>;
  /** `eliminated`: not among the best of its rung. */
  readonly state: 'waiting' | 'running' | 'eliminated' | 'finished' | 'diverged' | 'failed';
  /** Epochs trained. */
  readonly epochs: number;
  /** The metric after the last rung that it finished; null if there is none. */
  readonly score: number | null;
  readonly validation: Metrics | null;
  /** Seconds of training, of all rungs and seeds. */
  readonly seconds: number;
  /** After each epoch, of the first seed. */
  readonly curve: readonly { readonly epoch: number; readonly train: Metrics; readonly validation: Metrics | null }[];
  /** An earlier trial with the same configuration, whose result it shares. */
  readonly sameAs?: number;
  /** Why it diverged or failed. */
  readonly error?: string;
}

export interface Ranked {
  readonly trial: number;
  /** Mean of the metric over the seeds. */
  readonly mean: number;
  /** Sample standard deviation; null for one seed. */
  readonly deviation: number | null;
  readonly seeds: number;
}
