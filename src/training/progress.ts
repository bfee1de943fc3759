import type { InferOutput } from 'valibot';
import type { NamedTensor } from '../weights/safetensors.ts';
import type { EPOCH_METRICS, EPOCH_RESULT, PROGRESS, SCHEDULES, STEP_RECORD, TIMES } from './schemas.ts';

/** Result of an epoch, without times: the same bits in every run of the same configuration. */
export type EpochResult = InferOutput<typeof EPOCH_RESULT>;

/** Result of an epoch, with its times: a line of metrics.jsonl. */
export type EpochMetrics = InferOutput<typeof EPOCH_METRICS>;

/** One step: a line of steps.jsonl. Numbers have 7 significant digits, update ratios 4. */
export type StepRecord = InferOutput<typeof STEP_RECORD>;

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
export type Progress = InferOutput<typeof PROGRESS>;

/** Measured times in seconds: times.json. Separate from Progress, which is the same in every run of a configuration. */
export type Times = InferOutput<typeof TIMES>;

/** State of a run after a step or an epoch. */
export interface Checkpoint {
  readonly progress: Progress;
  readonly times: Times;
  /** By name: parameters as `fc1.weight`, optimiser state as `fc1.weight.momentum_buffer`. */
  readonly tensors: ReadonlyMap<string, NamedTensor>;
}

/** Learning-rate schedules of a run, one after the other: each begins at a step, counted from 0, and leads to the end of an epoch
 *  or to the step of the next. The first begins at 0. */
export type Schedules = InferOutput<typeof SCHEDULES>;

/** The schedule of a run that has a single one. */
export function wholeSchedule({ epochs }: { readonly epochs: number }): Schedules {
  return [{ step: 0, epochs }];
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
