import type { NamedTensor } from '../weights/safetensors.ts';
import type { Metrics } from './evaluate.ts';

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

/** One update, as steps.jsonl keeps it. */
export interface StepRecord {
  /** Counted from 1. */
  readonly step: number;
  /** Of the batch, before the update. */
  readonly loss: number;
  readonly accuracy: number;
  readonly learningRate: number;
  /** ‖ΔW‖₂/‖W‖₂ of the weights under their names, in the steps in which it was measured. */
  readonly updateRatios?: Readonly<Record<string, number>>;
}

export type TrainingEvent =
  | {
      readonly type: 'step';
      readonly progress: Progress;
      readonly times: Times;
      /** Of the batch, before the update. */
      readonly loss: number;
      readonly accuracy: number;
      readonly learningRate: number;
      /** ‖ΔW‖₂/‖W‖₂ of the weights under their names, in the steps in which it is measured. */
      readonly updateRatios: Readonly<Record<string, number>> | null;
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

/** What is kept of a step: seven digits of each number are more than a curve can show. */
export function recordOf(event: Extract<TrainingEvent, { type: 'step' }>): StepRecord {
  const { progress, loss, accuracy, learningRate, updateRatios } = event;
  return {
    step: progress.step,
    loss: short(loss),
    accuracy: short(accuracy),
    learningRate: short(learningRate),
    ...(updateRatios && { updateRatios: mapValues(updateRatios, (ratio) => short(ratio, 4)) }),
  };
}

function short(value: number, digits = 7): number {
  return Number(value.toPrecision(digits));
}

function mapValues(record: Readonly<Record<string, number>>, change: (value: number) => number) {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

/** Whether a line of metrics.jsonl is whole. */
export function isEpochMetrics(line: unknown): line is EpochMetrics {
  const metrics = line as Partial<EpochMetrics> | null | undefined;
  return (
    hasNumbers(metrics, ['epoch', 'step', 'learningRate', 'imagesPerSecond', 'seconds']) &&
    hasNumbers(metrics?.train, ['loss', 'accuracy']) &&
    (metrics?.validation === null || hasNumbers(metrics?.validation, ['loss', 'accuracy']))
  );
}

/** Whether a line of steps.jsonl is whole. */
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
