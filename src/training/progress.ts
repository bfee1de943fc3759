import type { Metrics } from './evaluation.ts';
import type { NamedTensor } from './safetensors.ts';

/** What an epoch came to: the same in every run of one configuration. */
export interface EpochResult {
  /** Counted from 1. */
  readonly epoch: number;
  /** Updates done since the start of the run. */
  readonly step: number;
  /** Over the batches as they were trained on: augmented, with dropout and label smoothing, each before its update. */
  readonly train: Metrics;
  /** After the epoch, on the images held out, as they are; null if there are none. */
  readonly validation: Metrics | null;
  /** Of the last step. */
  readonly learningRate: number;
}

/** The same with the time that it took. */
export interface EpochMetrics extends EpochResult {
  /** Training only. */
  readonly imagesPerSecond: number;
  /** Training and validation. */
  readonly seconds: number;
}

export type TrainingEvent =
  | {
      readonly type: 'step';
      readonly progress: Progress;
      readonly times: Times;
      readonly loss: number;
      readonly learningRate: number;
    }
  | { readonly type: 'epoch-ended'; readonly metrics: EpochMetrics; readonly isBest: boolean };

/** Where a run stands. Together with the configuration and the tensors it is all that a run needs to go on with the same
 *  bits: every random number follows from the seed and the step. */
export interface Progress {
  /** Updates done. */
  readonly step: number;
  /** Sums over the images of the epoch that is under way. */
  readonly epochImages: number;
  readonly epochLoss: number;
  readonly epochCorrect: number;
  /** Of the epochs that have ended: the last one, and the best by validation accuracy (then loss). */
  readonly lastEpoch: EpochResult | null;
  readonly best: EpochResult | null;
  /** Over the whole run. */
  readonly trainedImages: number;
}

/** Seconds so far; kept apart from the progress, which is the same in every run of one configuration. */
export interface Times {
  /** On the steps of the epoch that is under way, and of the whole run. */
  readonly epochTraining: number;
  readonly training: number;
  /** On steps and validation. */
  readonly all: number;
}

/** A moment of a run. */
export interface Checkpoint {
  readonly progress: Progress;
  readonly times: Times;
  /** The parameters under their names; a parameter's optimiser state under the parameter's name and its own. */
  readonly tensors: ReadonlyMap<string, NamedTensor>;
}

export const START: Progress = {
  step: 0,
  epochImages: 0,
  epochLoss: 0,
  epochCorrect: 0,
  lastEpoch: null,
  best: null,
  trainedImages: 0,
};

export const NO_TIME: Times = { epochTraining: 0, training: 0, all: 0 };
