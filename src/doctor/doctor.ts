import type { Backend } from '../backends/backend.ts';
import type { Config } from '../config/config.ts';
import type { Dataset } from '../dataset/load.ts';
import { DataError } from '../errors.ts';
import { checkModelGradients } from '../gradcheck/model-gradients.ts';
import { initialise } from '../models/initialise.ts';
import { buildModel, type Model } from '../models/model.ts';
import { rows, splitTrainingSet } from '../training/batches.ts';
import { evaluate, type Metrics } from '../training/evaluate.ts';
import { yieldToEventLoop } from '../training/event-loop.ts';
import type { Checkpoint, EpochMetrics } from '../training/progress.ts';
import { notFinite, writeParameters } from '../training/restore.ts';
import { checkLabels, judgeTestImages, PERMUTATIONS } from './control.ts';
import { checkClasses, checkDuplicates, checkOrigin, checkPixels } from './data.ts';
import type { Finding } from './finding.ts';
import { judgeGradients } from './gradient-finding.ts';
import { judgeCurve, judgeLearningRate, judgeUpdates, testRange } from './learning-rate.ts';
import { checkRegularisation, judgeInitialLoss } from './loss.ts';
import { checkOverfitting } from './overfit.ts';
import { checkWeights, judgeCurves } from './saved-run.ts';
import type { ShortTrainingSetup } from './short-training.ts';
import { judgeUnits, measureUnits, type UnitHealth } from './units.ts';

/** Images of a short training: this number, or this number of batches if that is more. */
const TRAINING_IMAGES = 12_800;
const TRAINING_BATCHES = 40;
/** Held-out images: at most this number, and this share of the training set. */
const MAX_HELD_OUT = 2000;
const HELD_OUT_SHARE = 0.2;
/** Images on which the hidden units are measured. */
const UNIT_IMAGES = 1000;
/** Largest batch of a model that is only evaluated. */
const MAX_EVALUATION_BATCH = 1000;
/** A short version of the gradient check. */
const GRADIENT_CHECK = { images: 8, directions: 2, coordinates: 6 } as const;

/** Number of trainings that the learning rate usually needs. */
const EXPECTED_TRAININGS = 3;

/** A saved run to check, with its weights. */
export interface RunToCheck {
  readonly checkpoint: Checkpoint;
  readonly epochs: readonly EpochMetrics[];
  /** Whether the dataset is the one that the run was trained on. */
  readonly isSameDataset: boolean;
}

export interface DoctorOptions {
  readonly config: Config;
  readonly dataset: Dataset;
  readonly backend: Backend;
  readonly run?: RunToCheck | undefined;
  readonly signal?: AbortSignal | undefined;
  /** @param check the current part. @param share of all the work done, in [0, 1]. */
  readonly onProgress?: ((check: string, share: number) => void) | undefined;
}

/** The parts of the diagnosis in order, with the approximate share of the time that each takes. */
const PARTS = { images: 0.1, loss: 0.1, gradients: 0.35, 'learning rate': 0.25, labels: 0.2 } as const;
type Part = keyof typeof PARTS;

/** Runs the sanity checks of the CS231n notes on a configuration or a saved run, and yields a verdict on each. Stops
 *  early only if labels are out of range, because nothing can be trained on them.
 *
 *  @throws DataError if there are fewer than 5 training images; UserError if the weights do not fit the configuration, or
 *  memory runs out; the signal's reason once it is aborted.
 *  Source: CS231n notes, "Neural Networks 3" (sanity checks before learning; babysitting the learning process). */
export async function* diagnose(options: DoctorOptions): AsyncGenerator<Finding, void> {
  for (const check of [checkOrigin, checkClasses, checkDuplicates, checkPixels]) {
    progressOf(options, 'images')(0);
    const finding = check(options.dataset);
    yield finding;
    if (finding.numbers.outOfRange) return;
    await yieldToEventLoop();
    options.signal?.throwIfAborted();
  }
  const setup = setupOf(options);
  const trained = options.run && loadModel(options, options.run.checkpoint);
  if (options.run && trained) yield* checkRun(options, options.run, trained);
  initialise(setup.model, setup.config);
  const initial = await evaluate(setup.model, setup.images, setup.heldOut, setup.signal);
  yield* checkLoss(options, setup, initial);
  yield* checkTraining(options, setup, initial, trained);
}

async function* checkRun({ config, dataset, signal }: DoctorOptions, run: RunToCheck, model: Model) {
  yield judgeCurves(run.epochs);
  yield await checkWeights(model, run.checkpoint, config, run.isSameDataset ? dataset.train : undefined, signal);
}

async function* checkLoss(options: DoctorOptions, setup: ShortTrainingSetup, initial: Metrics) {
  const { config, run, signal } = options;
  progressOf(options, 'loss')(0);
  yield judgeInitialLoss(config, initial, options.dataset.classes.length);
  yield await checkRegularisation(setup);
  yield await checkOverfitting(options.backend, config, setup);
  const tensors = run && notFinite(run.checkpoint.tensors).length === 0 ? run.checkpoint.tensors : undefined;
  const { images: count, ...sampling } = GRADIENT_CHECK;
  const indices = setup.heldOut.slice(0, count);
  const onProgress = progressOf(options, 'gradients');
  yield judgeGradients(
    await checkModelGradients({ config, images: setup.images, indices, tensors, ...sampling, signal, onProgress }),
  );
}

async function* checkTraining(options: DoctorOptions, setup: ShortTrainingSetup, initial: Metrics, trained?: Model) {
  const { activation } = options.config;
  const moments: [when: string, health: UnitHealth][] = [];
  const measure = async (when: string, model: Model) => {
    const sample = setup.heldOut.subarray(0, UNIT_IMAGES);
    if (model.hidden) moments.push([when, await measureUnits(model, activation, setup.images, sample, setup.signal)]);
  };
  initialise(setup.model, setup.config);
  await measure('at the start', setup.model);
  if (trained) await measure('in the run', trained);
  const rangeSetup = { ...setup, onStep: stepProgress(options, 'learning rate', EXPECTED_TRAININGS) };
  const range = await testRange(rangeSetup, initial, async () => {
    if (!trained) await measure('after a short training', setup.model);
  });
  const [chosen, best] = [range.trainings.get(0)!, range.trainings.get(range.best ?? 0)!];
  yield judgeLearningRate(range);
  yield judgeCurve(chosen, initial);
  yield judgeUpdates(chosen);
  if (moments.length > 0) yield judgeUnits(activation, moments);
  const controlSetup = { ...setup, onStep: stepProgress(options, 'labels', PERMUTATIONS) };
  yield await checkLabels(controlSetup, best);
  yield judgeTestImages(best, setup.heldOut.length, setup.test!.rows.length);
}

/** The model and images for short trainings: the training images in their usual order, some of them held out. Ignores a
 *  configured limit on training images, because a few images can be memorized at rates that are useless otherwise. */
function setupOf({ config, dataset, backend, signal }: DoctorOptions): ShortTrainingSetup {
  const count = dataset.train.labels.length;
  const heldOut = Math.min(MAX_HELD_OUT, Math.floor(HELD_OUT_SHARE * count));
  if (heldOut === 0) {
    throw new DataError(
      `these checks need at least ${Math.ceil(1 / HELD_OUT_SHARE)} training images to hold some out, got ${count}`,
    );
  }
  const limit = Math.max(TRAINING_IMAGES, TRAINING_BATCHES * config.batchSize);
  const split = splitTrainingSet(count, heldOut, limit);
  const model = buildModel(backend, config, Math.min(config.batchSize, split.train.length));
  const test = { images: dataset.test, rows: rows(Math.min(MAX_HELD_OUT, dataset.test.labels.length)) };
  return { config, model, images: dataset.train, train: split.train, heldOut: split.validation, test, signal };
}

function loadModel({ config, backend }: DoctorOptions, { tensors }: Checkpoint): Model {
  const model = buildModel(backend, config, Math.min(config.batchSize, MAX_EVALUATION_BATCH));
  writeParameters(model, tensors);
  return model;
}

/** Returns a function that reports the progress of a part, given the share of it that is done. */
function progressOf({ onProgress }: DoctorOptions, part: Part): (share: number) => void {
  const names = Object.keys(PARTS) as Part[];
  const before = names.slice(0, names.indexOf(part)).reduce((sum, name) => sum + PARTS[name], 0);
  return (share) => onProgress?.(part, before + PARTS[part] * Math.min(1, share));
}

/** Returns a function that reports the progress of a part made of several trainings, given the share of the current
 *  one. */
function stepProgress(options: DoctorOptions, part: Part, trainings: number): (share: number) => void {
  const notify = progressOf(options, part);
  let done = 0;
  return (share) => {
    notify((done + share) / trainings);
    if (share === 1) done++;
  };
}
