import type { Backend } from '../backends/backend.ts';
import type { Config } from '../config/config.ts';
import { effectiveConfig } from '../config/resolve.ts';
import type { Dataset } from '../dataset/load.ts';
import { DivergedError, UsageError } from '../errors.ts';
import { FolderLock } from '../lock/folder-lock.ts';
import { field, message } from '../message.ts';
import { initialise } from '../models/initialise.ts';
import { buildModel, type Model } from '../models/model.ts';
import { rows, type Split, splitTrainingSet } from '../training/batches.ts';
import { type Progress, type Schedules, wholeSchedule } from '../training/progress.ts';
import { writeParameters } from '../training/restore.ts';
import { diverged, Trainer } from '../training/trainer.ts';
import { evaluateViews, type TestMetrics, type ViewCount } from '../training/views.ts';
import { defaultFolder } from './create-run-folder.ts';
import { describeEnvironment } from './environment.ts';
import type { PartialResult, RunEvent, RunResult, RunStarted, RunStopped } from './events.ts';
import { expectSameTraining, newRecord, type SavedRun } from './record.ts';
import { expectReadable, RunDirectory } from './run-directory.ts';
import { courseOf } from './saved/extend.ts';
import { expectSameArchitecture, type InitialWeights } from './saved/initial-weights.ts';
import { Saver } from './saver.ts';

/** Options of `train`. */
export interface TrainOptions {
  /** The configuration, from `resolveConfig`; that of the run when resuming. */
  readonly config: Config;
  readonly dataset: Dataset;
  /** A backend of the configuration's precision. */
  readonly backend: Backend;
  /** Folder to save the run in; by default a new one in ./runs. Null saves nothing. */
  readonly out?: string | null | undefined;
  /** Name to record; it becomes a part of the name of a new folder in ./runs. */
  readonly name?: string | undefined;
  /** Another part of the name of a new folder in ./runs. */
  readonly folderLabel?: string | undefined;
  /** Weights to begin with, in place of random ones: those of a run of the same network. The optimiser begins afresh. */
  readonly initFrom?: InitialWeights | undefined;
  /** Run to resume; `out` and `name` are then ignored. */
  readonly resume?: RunDirectory | undefined;
  /** Number of epochs of a resumed run, if it is to change. A new schedule of the learning rate then leads from where the run stands to
   *  the new end, and the run records it. */
  readonly epochs?: number | undefined;
  /** Views of each test image whose scores are averaged, beside the test of the images themselves; 1, so none, by default. */
  readonly views?: ViewCount | undefined;
  /** Stops the run after the current step, with a checkpoint if the run is saved. */
  readonly signal?: AbortSignal | undefined;
  /** Called with each event; training waits for a promise that it returns. */
  onEvent?(event: RunEvent): void | Promise<void>;
}

/** A run that was stopped by its signal. */
export interface Interrupted {
  readonly interrupted: true;
  /** The run directory, or null if nothing was saved. */
  readonly run: string | null;
  readonly progress: Progress;
}

/** Trains one configuration: initialises the model or resumes a run, trains, saves checkpoints, and evaluates the final
 *  weights on the test images. A run that is saved is locked until then.
 *  @throws UsageError if the backend has another precision than the configuration, if `val` leaves no images to train on,
 *  if `out` is not empty, if checkpoints would be too large to be read, or if the run to resume has another configuration;
 *  DataError if it was trained on other images; DivergedError if a loss or weight becomes NaN or infinite; FileError if the run
 *  cannot be read or saved; UserError if another process is training the run, or if the checkpoint to resume is damaged. The
 *  last checkpoint remains valid. */
export async function train(options: TrainOptions): Promise<RunResult | Interrupted> {
  expectPrecision(options.config, options.backend);
  if (options.resume) return resumed(options.resume, options);
  const { trainer, ...session } = prepare(options, wholeSchedule(options.config));
  const run = await begin(session.model, trainer, options);
  if (!run) return runSession({ ...session, trainer });
  const lock = await FolderLock.take('run', run.path);
  try {
    const saver = new Saver({ run, lock, trainer, dataset: options.dataset.name });
    return await runSession({ ...session, trainer, run, saver });
  } finally {
    await lock.release();
  }
}

async function resumed(run: RunDirectory, options: TrainOptions): Promise<RunResult | Interrupted> {
  await expectSameTraining(run, options);
  const lock = await FolderLock.take('run', run.path);
  try {
    // Read again under the lock: another process may just have changed its number of epochs.
    const record = await expectSameTraining(run, options);
    const checkpoint = await run.load('last', record.config);
    const { config, schedules, isNew } = courseOf(record, checkpoint.progress, options.epochs);
    const session = prepare({ ...options, config }, schedules, record);
    const { trainer } = session;
    trainer.restore(checkpoint, `the checkpoint of ${run.path}`);
    await run.removeLeftovers();
    await run.rewind(trainer.epochsDone, trainer.progress.step);
    if (isNew) await run.saveCourse(config.epochs, schedules);
    else if (!trainer.isDone) await run.removeOutcome();
    const saver = new Saver({ run, lock, trainer, dataset: options.dataset.name });
    return await runSession({ ...session, run, saver });
  } finally {
    await lock.release();
  }
}

/** Builds the model and its trainer. @param record of a resumed run. */
function prepare(options: TrainOptions, schedules: Schedules, record?: SavedRun): Session {
  const { config, dataset, backend } = options;
  const { name = null, initFrom = null } = record ?? { name: options.name, initFrom: options.initFrom?.origin };
  const split = splitTrainingSet(dataset.train.labels.length, config.val, config.trainLimit);
  const model = buildModel(backend, config, Math.min(config.batchSize, split.train.length));
  const trainer = new Trainer(model, dataset.train, split, config, schedules);
  return { options, name, initFrom, schedules, split, model, trainer };
}

interface Session {
  readonly options: TrainOptions;
  readonly name: string | null;
  readonly initFrom: RunStarted['initFrom'];
  readonly schedules: Schedules;
  readonly split: Split;
  readonly model: Model;
  readonly trainer: Trainer;
  /** Absent if nothing is saved. */
  readonly run?: RunDirectory;
  readonly saver?: Saver;
}

async function runSession(session: Session): Promise<RunResult | Interrupted> {
  const { options, trainer, run, saver } = session;
  const { signal, onEvent = () => {} } = options;
  await onEvent(runStarted(session));
  const stopped = (reason: RunStopped['reason'], cause: unknown): RunStopped => {
    const { progress } = trainer;
    const result = { status: reason, ...resultOf(session, null) };
    return { type: 'run-stopped', reason, cause, result, progress };
  };
  let test: TestMetrics | null;
  try {
    test = await trainAndTest(session);
    if (test === null) await saver?.save();
  } catch (error) {
    const isDiverged = error instanceof DivergedError;
    // No later failure may hide the one that stopped the run.
    if (isDiverged) await saver?.saveOutcome({ status: 'diverged', step: trainer.progress.step }).catch(() => {});
    await (async () => onEvent(stopped(isDiverged ? 'diverged' : 'failed', error)))().catch(() => {});
    throw error;
  }
  if (test === null) {
    await onEvent(stopped('interrupted', signal!.reason));
    return { interrupted: true, run: run?.path ?? null, progress: trainer.progress };
  }
  const { train } = trainer.progress.lastEpoch!;
  const result = { status: 'finished', ...resultOf(session, test), train } as const;
  await onEvent({ type: 'run-ended', result, progress: trainer.progress });
  return result;
}

/** Trains to the last epoch and evaluates the weights on the test images. Resolves to null if the signal stops it. */
async function trainAndTest({ options, model, trainer, saver }: Session): Promise<TestMetrics | null> {
  const { dataset, views = 1, signal, onEvent = () => {} } = options;
  if (signal?.aborted) return null;
  for await (const event of trainer.run()) {
    await saver?.onEvent(event);
    await onEvent(event);
    if (signal?.aborted) return null;
  }
  try {
    const test = await evaluateViews(model, dataset.test, views, rows(dataset.test.labels.length), signal);
    const { loss, accuracy } = test;
    if (!Number.isFinite(loss)) throw diverged(loss, trainer.progress.lastEpoch!);
    await saver?.saveOutcome({ status: 'finished', step: trainer.progress.step, test: { loss, accuracy } });
    return test;
  } catch (error) {
    if (signal?.aborted && error === signal.reason) return null;
    throw error;
  }
}

/** @throws UsageError if the precision of the backend is not the configured one: the run's record would be wrong. */
function expectPrecision({ precision }: Config, backend: Backend): void {
  if (backend.precision === precision) return;
  throw new UsageError(
    message`${field('precision')} is ${precision} in the configuration, but ${backend.precision} in the backend; create the backend with ${field('precision', precision)}`,
  );
}

async function begin(model: Model, trainer: Trainer, options: TrainOptions): Promise<RunDirectory | null> {
  const { config, out, name, folderLabel, initFrom } = options;
  if (out !== null) expectReadable(trainer.tensors.map(([, tensor]) => tensor));
  initialise(model, config);
  if (initFrom) {
    expectSameArchitecture(config, initFrom);
    writeParameters(model, initFrom.tensors, `the checkpoint of ${initFrom.origin.run}`);
  }
  if (out === null) return null;
  const record = newRecord(options);
  const start = await trainer.checkpoint();
  if (out !== undefined) return RunDirectory.create(out, record, start);
  const folder = defaultFolder([config.model, name ?? '', folderLabel ?? ''], new Date());
  for (let number = 1; ; number++) {
    try {
      return await RunDirectory.create(number === 1 ? folder : `${folder}-${number}`, record, start);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
    }
  }
}

function runStarted({ options, name, initFrom, schedules, model, split, trainer, run }: Session): RunStarted {
  const { config, dataset, backend } = options;
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
    name,
    initFrom,
    schedules,
    progress: trainer.progress,
  };
}

function resultOf<Test extends TestMetrics | null>(
  { options, name, trainer, run }: Session,
  test: Test,
): Omit<PartialResult, 'status' | 'test'> & { readonly test: Test } {
  const { config, dataset, backend } = options;
  const { lastEpoch, best, trainedImages } = trainer.progress;
  const { all: seconds, training } = trainer.times;
  return {
    model: config.model,
    dataset: dataset.name,
    seed: config.seed,
    epochs: trainer.epochsDone,
    bestEpoch: best?.epoch ?? null,
    train: lastEpoch?.train ?? null,
    validation: lastEpoch?.validation ?? null,
    test,
    seconds,
    imagesPerSecond: trainedImages === 0 ? 0 : trainedImages / training,
    run: run?.path ?? null,
    name,
    config: effectiveConfig(config),
    environment: describeEnvironment(backend),
  };
}
