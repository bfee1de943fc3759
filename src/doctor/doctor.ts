import type { Backend } from '../backends/backend.ts';
import type { Config } from '../config/config.ts';
import type { Dataset } from '../dataset/load.ts';
import { checkModelGradients } from '../gradcheck/model-gradients.ts';
import { initialise } from '../models/initialise.ts';
import { buildModel, type Model } from '../models/model.ts';
import { rows, splitTrainingSet } from '../training/batches.ts';
import { evaluate, type Metrics } from '../training/evaluate.ts';
import { yieldToEventLoop } from '../training/event-loop.ts';
import type { Checkpoint, EpochMetrics } from '../training/progress.ts';
import { writeParameters } from '../training/restore.ts';
import { checkLabels, judgeTestImages, PERMUTATIONS } from './control.ts';
import { checkClasses, checkDuplicates, checkOrigin, checkPixels } from './data.ts';
import type { Finding } from './finding.ts';
import { judgeGradients } from './gradient-finding.ts';
import { judgeCurve, judgeLearningRate, judgeUpdates, testRange } from './learning-rate.ts';
import { checkRegularisation, judgeInitialLoss } from './loss.ts';
import { checkOverfitting } from './overfit.ts';
import { checkWeights, judgeCurves, notFinite } from './saved-run.ts';
import type { Laboratory } from './short-training.ts';
import { examineUnits, judgeUnits, type UnitHealth } from './units.ts';

/** Images of a short training, or so many batches if they are large. */
const TRIAL_IMAGES = 12_800;
const TRIAL_BATCHES = 40;
/** Images held out from them: at most, and in parts of the training set. */
const MOST_HELD_OUT = 2000;
const HELD_OUT_SHARE = 0.2;
/** Images on which the hidden units are looked at. */
const UNIT_IMAGES = 1000;
/** The largest batch of a model that is not trained. */
const LARGEST_BATCH = 1000;
/** The gradient check in brief. */
const GRADIENTS = { images: 8, directions: 2, coordinates: 6 } as const;

/** Trainings of the range test, where it need not go far. */
const EXPECTED_TRIALS = 3;

/** A saved run to be examined with its weights. */
export interface RunToExamine {
  readonly checkpoint: Checkpoint;
  readonly epochs: readonly EpochMetrics[];
  /** Whether the dataset is the one that it was trained on. */
  readonly hasItsImages: boolean;
}

export interface DoctorOptions {
  readonly config: Config;
  readonly dataset: Dataset;
  readonly backend: Backend;
  readonly run?: RunToExamine | undefined;
  readonly signal?: AbortSignal | undefined;
  /** @param check what is under way. @param share of all that is done, in [0, 1]. */
  readonly onProgress?: ((check: string, share: number) => void) | undefined;
}

/** The parts of the examination in their order, with the share of the time that each takes, roughly. */
const PARTS = { images: 0.1, loss: 0.1, gradients: 0.35, 'learning rate': 0.25, labels: 0.2 } as const;
type Part = keyof typeof PARTS;

/** Runs the sanity checks of the CS231n notes on a configuration or a saved run, and judges each of them. It stops early only
 *  where labels are out of range, because nothing can be trained on them.
 *
 *  @throws UserError if the weights do not fit the configuration, or memory runs out; the signal's reason, once it is
 *  aborted.
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
  const lab = laboratoryOf(options);
  const trained = options.run && loadModel(options, options.run.checkpoint);
  if (options.run && trained) yield* examineRun(options, options.run, trained);
  initialise(lab.model, lab.config);
  const initial = await evaluate(lab.model, lab.images, lab.heldOut, lab.signal);
  yield* examineLoss(options, lab, initial);
  yield* examineTraining(options, lab, initial, trained);
}

async function* examineRun({ config, dataset, signal }: DoctorOptions, run: RunToExamine, model: Model) {
  yield judgeCurves(run.epochs);
  yield await checkWeights(model, run.checkpoint, config, run.hasItsImages ? dataset.train : undefined, signal);
}

async function* examineLoss(options: DoctorOptions, lab: Laboratory, initial: Metrics) {
  const { config, run, signal } = options;
  progressOf(options, 'loss')(0);
  yield judgeInitialLoss(config, initial, options.dataset.classes.length);
  yield await checkRegularisation(lab);
  yield await checkOverfitting(options.backend, config, lab);
  const tensors = run && notFinite(run.checkpoint).length === 0 ? run.checkpoint.tensors : undefined;
  const { images: count, ...sampling } = GRADIENTS;
  const indices = lab.heldOut.slice(0, count);
  const onProgress = progressOf(options, 'gradients');
  yield judgeGradients(
    await checkModelGradients({ config, images: lab.images, indices, tensors, ...sampling, signal, onProgress }),
  );
}

async function* examineTraining(options: DoctorOptions, lab: Laboratory, initial: Metrics, trained?: Model) {
  const { activation } = options.config;
  const moments: [when: string, health: UnitHealth][] = [];
  const lookAtUnits = async (when: string, model: Model) => {
    const sample = lab.heldOut.subarray(0, UNIT_IMAGES);
    if (model.hidden) moments.push([when, await examineUnits(model, activation, lab.images, sample, lab.signal)]);
  };
  initialise(lab.model, lab.config);
  await lookAtUnits('at the start', lab.model);
  if (trained) await lookAtUnits('in the run', trained);
  const inTraining = { ...lab, onStep: stepProgress(options, 'learning rate', EXPECTED_TRIALS) };
  const range = await testRange(inTraining, initial, async () => {
    if (!trained) await lookAtUnits('after a short training', lab.model);
  });
  const [chosen, best] = [range.trials.get(0)!, range.trials.get(range.best ?? 0)!];
  yield judgeLearningRate(range);
  yield judgeCurve(chosen, initial);
  yield judgeUpdates(chosen);
  if (moments.length > 0) yield judgeUnits(activation, moments);
  const inControl = { ...lab, onStep: stepProgress(options, 'labels', PERMUTATIONS) };
  yield await checkLabels(inControl, best);
  yield judgeTestImages(best, lab.heldOut.length, lab.test!.rows.length);
}

/** A model and the images for short trainings: the training images in their usual order, some of them held out. A limit on
 *  them does not count here: few images are learned by heart at rates at which nothing else can be learned. */
function laboratoryOf({ config, dataset, backend, signal }: DoctorOptions): Laboratory {
  const count = dataset.train.labels.length;
  const heldOut = Math.min(MOST_HELD_OUT, Math.floor(HELD_OUT_SHARE * count));
  const most = Math.max(TRIAL_IMAGES, TRIAL_BATCHES * config.batchSize);
  const split = splitTrainingSet(count, heldOut, most);
  const model = buildModel(backend, config, Math.min(config.batchSize, split.train.length));
  const test = { images: dataset.test, rows: rows(Math.min(MOST_HELD_OUT, dataset.test.labels.length)) };
  return { config, model, images: dataset.train, train: split.train, heldOut: split.validation, test, signal };
}

function loadModel({ config, backend }: DoctorOptions, { tensors }: Checkpoint): Model {
  const model = buildModel(backend, config, Math.min(config.batchSize, LARGEST_BATCH));
  writeParameters(model, tensors);
  return model;
}

/** Reports how far a part is. @returns a function of the share of that part. */
function progressOf({ onProgress }: DoctorOptions, part: Part): (share: number) => void {
  const names = Object.keys(PARTS) as Part[];
  const before = names.slice(0, names.indexOf(part)).reduce((sum, name) => sum + PARTS[name], 0);
  return (share) => onProgress?.(part, before + PARTS[part] * Math.min(1, share));
}

/** The same for a part that is so many trainings, one after the other. @returns a function of the share of one of them. */
function stepProgress(options: DoctorOptions, part: Part, trainings: number): (share: number) => void {
  const report = progressOf(options, part);
  let done = 0;
  return (share) => {
    report((done + share) / trainings);
    if (share === 1) done++;
  };
}
