import path from 'node:path';
import type { Backend, Shape } from '../backends/backend.ts';
import { type Config, effectiveConfig } from '../config/config.ts';
import type { Dataset } from '../dataset/load.ts';
import { UsageError } from '../errors.ts';
import { initialise } from '../models/initialise.ts';
import { buildModel, type Model } from '../models/model.ts';
import { rows, type Split, splitTrainingSet } from '../training/batches.ts';
import { evaluate, type Metrics } from '../training/evaluate.ts';
import { type Progress, recordOf, type StepRecord, type TrainingEvent } from '../training/progress.ts';
import { diverged, Trainer } from '../training/trainer.ts';
import { describeEnvironment, type Environment } from './environment.ts';
import type { RunRecord } from './record.ts';
import { RunDirectory } from './run-directory.ts';

/** How long a checkpoint may be old while an epoch is under way. */
const CHECKPOINT_INTERVAL_MS = 60_000;

export interface RunStarted {
  readonly type: 'run-started';
  readonly config: Config;
  readonly dataset: Dataset;
  /** As it stands whenever it is looked at: for whoever draws its weights or its answers. Not to be changed. */
  readonly model: Model;
  readonly environment: Environment;
  readonly parameters: readonly { readonly name: string; readonly shape: Shape }[];
  readonly trainImages: number;
  readonly validationImages: number;
  /** The run directory, or null if nothing is saved. */
  readonly run: string | null;
  /** Where the run stands: at its start, or where it is resumed. */
  readonly progress: Progress;
}

/** What a finished run came to; `--json` prints it. Its names are a contract. */
export interface RunResult {
  readonly model: Config['model'];
  readonly dataset: Dataset['name'];
  readonly seed: number;
  /** Epochs trained, fewer than configured after an early stop. */
  readonly epochs: number;
  /** The epoch with the best validation accuracy; null without validation images. */
  readonly bestEpoch: number | null;
  /** Of the last epoch. */
  readonly train: Metrics;
  readonly validation: Metrics | null;
  /** With the weights of the last epoch. */
  readonly test: Metrics;
  readonly seconds: number;
  readonly imagesPerSecond: number;
  readonly run: string | null;
  readonly config: Partial<Config>;
  readonly environment: Environment;
}

export interface RunEnded {
  readonly type: 'run-ended';
  readonly result: RunResult;
  readonly progress: Progress;
}

export type RunEvent = RunStarted | TrainingEvent | RunEnded;

export interface TrainOptions {
  readonly config: Config;
  readonly dataset: Dataset;
  readonly backend: Backend;
  /** Where to save the run: a folder, or a new one in ./runs where it is left out; null saves nothing. */
  readonly out?: string | null | undefined;
  /** A run to go on with, instead of `out`. */
  readonly resume?: RunDirectory | undefined;
  /** Stops the run after the step under way, with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
  onEvent?(event: RunEvent): void | Promise<void>;
}

/** A run that was stopped by its signal. */
export interface Interrupted {
  readonly interrupted: true;
  readonly run: string | null;
  readonly progress: Progress;
}

/** Trains one configuration: sets the model up (or resumes it), trains, saves, and tests the last weights.
 *  @throws DivergedError, FileError, UsageError or DataError; the last checkpoint stays whole. */
export async function train(options: TrainOptions): Promise<RunResult | Interrupted> {
  const { config, dataset, backend, signal, onEvent = () => {} } = options;
  const split = splitTrainingSet(dataset.train.labels.length, config.val, config.trainLimit);
  const model = buildModel(backend, config, Math.min(config.batchSize, split.train.length));
  const trainer = new Trainer(model, dataset.train, split, config);
  const run = options.resume ? await resume(options.resume, trainer) : await begin(model, trainer, options);
  await onEvent(startOf(options, model, split, trainer, run));

  const saver = run && new Saver(run, trainer, dataset.name);
  const interrupted = async (): Promise<Interrupted> => {
    await saver?.save();
    return { interrupted: true, run: run?.path ?? null, progress: trainer.progress };
  };
  if (signal?.aborted) return interrupted();
  for await (const event of trainer.run()) {
    await saver?.take(event);
    await onEvent(event);
    if (signal?.aborted) return interrupted();
  }

  let test: Metrics;
  try {
    test = await evaluate(model, dataset.test, rows(dataset.test.labels.length), signal);
  } catch (error) {
    if (signal?.aborted && error === signal.reason) return interrupted();
    throw error;
  }
  if (!Number.isFinite(test.loss)) throw diverged(test.loss, trainer.progress.lastEpoch!);
  const result = resultOf(options, trainer, run, test);
  await onEvent({ type: 'run-ended', result, progress: trainer.progress });
  return result;
}

/** Writes what a run comes to into its directory: the lines of steps and epochs, and then the checkpoint after them. */
class Saver {
  readonly #run: RunDirectory;
  readonly #trainer: Trainer;
  readonly #dataset: Dataset['name'];
  #steps: StepRecord[] = [];
  #saved = performance.now();

  constructor(run: RunDirectory, trainer: Trainer, dataset: Dataset['name']) {
    this.#run = run;
    this.#trainer = trainer;
    this.#dataset = dataset;
  }

  async take(event: TrainingEvent): Promise<void> {
    if (event.type === 'epoch-ended') {
      await this.#run.appendMetrics({ dataset: this.#dataset, ...event.metrics });
      await this.save(event.isBest);
      return;
    }
    this.#steps.push(recordOf(event));
    if (performance.now() - this.#saved > CHECKPOINT_INTERVAL_MS) await this.save();
  }

  async save(isBest = false): Promise<void> {
    if (this.#steps.length > 0) await this.#run.appendSteps(this.#steps);
    this.#steps = [];
    await this.#run.save(await this.#trainer.checkpoint(), isBest);
    this.#saved = performance.now();
  }
}

async function resume(run: RunDirectory, trainer: Trainer): Promise<RunDirectory> {
  trainer.restore(await run.load('last'));
  await run.removeLeftovers();
  await run.rewind(trainer.epochsDone, trainer.progress.step);
  return run;
}

async function begin(model: Model, trainer: Trainer, options: TrainOptions): Promise<RunDirectory | null> {
  const { config, dataset, backend, out } = options;
  initialise(model, config);
  if (out === null) return null;
  const record: RunRecord = {
    config: effectiveConfig(config),
    dataset: { name: dataset.name, source: dataset.source, sha256: dataset.sha256 },
    environment: describeEnvironment(backend),
  };
  const start = await trainer.checkpoint();
  if (out !== undefined) return RunDirectory.create(out, record, start);
  const name = nameOf(config.model, new Date());
  for (let number = 1; ; number++) {
    try {
      return await RunDirectory.create(number === 1 ? name : `${name}-${number}`, record, start);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
    }
  }
}

/** runs/<model>-<date>-<time> */
function nameOf(model: string, now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  return path.join('runs', `${model}-${date}-${time}`);
}

function startOf(
  { config, dataset, backend }: TrainOptions,
  model: Model,
  split: Split,
  trainer: Trainer,
  run: RunDirectory | null,
): RunStarted {
  return {
    type: 'run-started',
    config,
    dataset,
    model,
    environment: describeEnvironment(backend),
    parameters: model.graph.parameters.map(({ name, shape }) => ({ name, shape })),
    trainImages: split.train.length,
    validationImages: split.validation.length,
    run: run?.path ?? null,
    progress: trainer.progress,
  };
}

function resultOf(
  { config, dataset, backend }: TrainOptions,
  trainer: Trainer,
  run: RunDirectory | null,
  test: Metrics,
): RunResult {
  const { lastEpoch, best, trainedImages } = trainer.progress;
  const { all: seconds, training } = trainer.times;
  return {
    model: config.model,
    dataset: dataset.name,
    seed: config.seed,
    epochs: trainer.epochsDone,
    bestEpoch: best?.epoch ?? null,
    train: lastEpoch!.train,
    validation: lastEpoch!.validation,
    test,
    seconds,
    imagesPerSecond: trainedImages / training,
    run: run?.path ?? null,
    config: effectiveConfig(config),
    environment: describeEnvironment(backend),
  };
}
