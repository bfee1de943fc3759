import type { Shape } from '../backends/backend.ts';
import type { Config } from '../config/config.ts';
import type { Dataset } from '../dataset/load.ts';
import type { Model } from '../models/model.ts';
import type { Metrics } from '../training/evaluate.ts';
import type { Progress, Schedules, TrainingEvent } from '../training/progress.ts';
import type { TestMetrics } from '../training/views.ts';
import type { Environment } from './environment.ts';
import type { InitialWeights } from './saved/initial-weights.ts';

/** Event before the first step. */
export interface RunStarted {
  readonly type: 'run-started';
  readonly config: Config;
  readonly dataset: Dataset;
  /** The model being trained, not a copy: its weights change from step to step, and are the final ones once `train` has
   *  resolved. For reading and predicting only. */
  readonly model: Model;
  readonly environment: Environment;
  readonly parameters: readonly { readonly name: string; readonly shape: Shape }[];
  readonly trainImages: number;
  readonly validationImages: number;
  /** The run directory, or null if nothing is saved. */
  readonly run: string | null;
  /** The name that somebody gave the run, or null. */
  readonly name: string | null;
  /** The weights of another run that it began with, or null. */
  readonly initFrom: InitialWeights['origin'] | null;
  /** Of the learning rate. */
  readonly schedules: Schedules;
  /** Progress at the start, or at the checkpoint that a resumed run continues from. */
  readonly progress: Progress;
}

/** Result of a finished run. The command line prints it as JSON, so its field names are part of the public interface. */
export interface RunResult {
  readonly status: 'finished';
  readonly model: Config['model'];
  readonly dataset: Dataset['name'];
  readonly seed: number;
  /** Epochs trained: fewer than configured after early stopping. */
  readonly epochs: number;
  /** The epoch with the best validation accuracy; null without validation images. */
  readonly bestEpoch: number | null;
  /** Of the last epoch, as in EpochResult. */
  readonly train: Metrics;
  readonly validation: Metrics | null;
  /** On the test images, with the weights of the last epoch. */
  readonly test: TestMetrics;
  /** Training and validation, including time before a resume. */
  readonly seconds: number;
  /** Training only. */
  readonly imagesPerSecond: number;
  /** The run directory, or null if nothing was saved. */
  readonly run: string | null;
  /** The name that somebody gave the run, or null. */
  readonly name: string | null;
  /** The hyperparameters that have an effect. */
  readonly config: Partial<Config>;
  readonly environment: Environment;
}

/** Event after the last step, when the test images have been evaluated. */
export interface RunEnded {
  readonly type: 'run-ended';
  readonly result: RunResult;
  readonly progress: Progress;
}

/** What is known of a run that stopped before its end. The command line prints it as JSON. */
export interface PartialResult extends Omit<RunResult, 'status' | 'train' | 'test'> {
  readonly status: RunStopped['reason'];
  /** Null before the first epoch was complete. */
  readonly train: Metrics | null;
  readonly test: null;
}

/** Event in place of RunEnded: the signal has stopped the run, after its checkpoint was saved, or it diverged or failed.
 *  A process that is killed sends none. */
export interface RunStopped {
  readonly type: 'run-stopped';
  readonly reason: 'interrupted' | 'diverged' | 'failed';
  /** What `train` throws; of an interrupted run, the reason of its signal. */
  readonly cause: unknown;
  readonly result: PartialResult;
  readonly progress: Progress;
}

/** Events of `train`. Between the first and the last one, a run that is saved is locked. */
export type RunEvent = RunStarted | TrainingEvent | RunEnded | RunStopped;
