import type { NamedTensor } from '../weights/safetensors.ts';
import type { Metrics } from './evaluate.ts';

/** Result of an epoch, without times: the same bits in every run of the same configuration. */
export interface EpochResult {
  /** Counted from 1. */
  readonly epoch: number;
  /** Updates since the start of the run. */
  readonly step: number;
  /** Mean over the training images, as trained on (with augmentation, dropout and label smoothing) and before the update of
   *  each batch. */
  readonly train: Metrics;
  /** At the end of the epoch, on the unmodified validation images; null without validation images. */
  readonly validation: Metrics | null;
  /** Learning rate of the last step. */
  readonly learningRate: number;
}

/** Result of an epoch, with its times: a line of metrics.jsonl. */
export interface EpochMetrics extends EpochResult {
  /** Training only. */
  readonly imagesPerSecond: number;
  /** Training and validation. */
  readonly seconds: number;
}

/** One step: a line of steps.jsonl. Numbers have 7 significant digits, update ratios 4. */
export interface StepRecord {
  /** Counted from 1. */
  readonly step: number;
  /** Of the batch, before the update. */
  readonly loss: number;
  readonly accuracy: number;
  readonly learningRate: number;
  /** ‖ΔW‖₂/‖W‖₂ by name of the weight matrix; only for the steps in which it was measured. */
  readonly updateRatios?: Readonly<Record<string, number>>;
}

/** A step or an epoch of training. */
export type TrainingEvent =
  | {
      readonly type: 'step';
      readonly progress: Progress;
      readonly times: Times;
      /** Of the batch, before the update. */
      readonly loss: number;
      readonly accuracy: number;
      readonly learningRate: number;
      /** ‖ΔW‖₂/‖W‖₂ by name of the weight matrix; null in the steps in which it is not measured. */
      readonly updateRatios: Readonly<Record<string, number>> | null;
    }
  | { readonly type: 'epoch-ended'; readonly metrics: EpochMetrics; readonly isBest: boolean };

/** Progress of a run. With the configuration and the tensors of the checkpoint, it is all that a run needs to continue with
 *  the same bits: every random number is a function of the seed and the step or the epoch. */
export interface Progress {
  /** Updates since the start of the run. */
  readonly step: number;
  /** Sums over the images trained on in the current epoch; 0 between epochs. */
  readonly epochImages: number;
  readonly epochLoss: number;
  readonly epochCorrect: number;
  /** The last completed epoch; null before there is one. */
  readonly lastEpoch: EpochResult | null;
  /** The completed epoch with the highest validation accuracy, then the lowest loss, then the first; null without validation. */
  readonly best: EpochResult | null;
  /** Images trained on since the start of the run, over all epochs. */
  readonly trainedImages: number;
}

/** Measured times in seconds: times.json. Separate from Progress, which is the same in every run of a configuration. */
export interface Times {
  /** Steps of the current epoch; 0 between epochs. */
  readonly epochTraining: number;
  /** Steps of the whole run. */
  readonly training: number;
  /** Steps and validation of the whole run. */
  readonly all: number;
}

/** State of a run after a step or an epoch. */
export interface Checkpoint {
  readonly progress: Progress;
  readonly times: Times;
  /** By name: parameters as `fc1.weight`, optimiser state as `fc1.weight.momentum_buffer`. */
  readonly tensors: ReadonlyMap<string, NamedTensor>;
}

export const INITIAL_PROGRESS: Progress = {
  step: 0,
  epochImages: 0,
  epochLoss: 0,
  epochCorrect: 0,
  lastEpoch: null,
  best: null,
  trainedImages: 0,
};

export const ZERO_TIMES: Times = { epochTraining: 0, training: 0, all: 0 };

/** Returns the record of a step, with numbers rounded to more digits than a chart can show. */
export function toStepRecord(event: Extract<TrainingEvent, { type: 'step' }>): StepRecord {
  const { progress, loss, accuracy, learningRate, updateRatios } = event;
  return {
    step: progress.step,
    loss: round(loss),
    accuracy: round(accuracy),
    learningRate: round(learningRate),
    ...(updateRatios && { updateRatios: mapValues(updateRatios, (ratio) => round(ratio, 4)) }),
  };
}

function round(value: number, significantDigits = 7): number {
  return Number(value.toPrecision(significantDigits));
}

function mapValues(record: Readonly<Record<string, number>>, change: (value: number) => number) {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

/** Whether the value of a line of metrics.jsonl is complete. */
export function isEpochMetrics(line: unknown): line is EpochMetrics {
  const metrics = line as Partial<EpochMetrics> | null | undefined;
  return (
    hasNumbers(metrics, ['epoch', 'step', 'learningRate', 'imagesPerSecond', 'seconds']) &&
    hasNumbers(metrics?.train, ['loss', 'accuracy']) &&
    (metrics?.validation === null || hasNumbers(metrics?.validation, ['loss', 'accuracy']))
  );
}

/** Whether the value of a line of steps.jsonl is complete. */
export function isStepRecord(line: unknown): line is StepRecord {
  const { updateRatios = {} } = (line ?? {}) as Partial<StepRecord>;
  const isRecord = typeof updateRatios === 'object' && updateRatios !== null;
  return (
    hasNumbers(line, ['step', 'loss', 'accuracy', 'learningRate']) &&
    isRecord &&
    hasNumbers(updateRatios, Object.keys(updateRatios))
  );
}

function hasNumbers(value: unknown, names: readonly string[]): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => Number.isFinite((value as Record<string, unknown>)[name]))
  );
}
