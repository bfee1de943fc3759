import type { Config } from '../config/config.ts';
import { plural } from '../format.ts';
import type { ImageSet } from '../images.ts';
import { field, message } from '../message.ts';
import type { Model } from '../models/model.ts';
import { splitTrainingSet } from '../training/batches.ts';
import { evaluate } from '../training/evaluate.ts';
import type { Checkpoint, EpochMetrics } from '../training/progress.ts';
import { notFinite } from '../training/restore.ts';
import { type Finding, number, percent } from './finding.ts';

// Checks of a saved run's own records.

/** Largest excess of training accuracy over validation accuracy. */
const MAX_GAP = 0.2;
/** A final validation loss above this multiple of the lowest one has risen. */
const RISEN = 1.1;
/** Least share of the training loss by which a run must improve. */
const MIN_PROGRESS = 0.01;
/** Tolerance in accuracy: another backend may decide near ties differently. */
const ACCURACY_TOLERANCE = 0.005;

const NO_EPOCH: Finding = {
  name: 'run curves',
  verdict: 'warning',
  evidence: 'no epoch has finished',
  advice: 'resume the run, so that it trains for at least one epoch',
  numbers: { epochs: 0 },
};

/** Judges the loss and accuracy curves of a run.
 *  Source: CS231n notes, "Neural Networks 3" (loss function, train/val accuracy). */
export function judgeCurves(epochs: readonly EpochMetrics[]): Finding {
  const [first, last] = [epochs[0], epochs.at(-1)];
  if (!first || !last) return NO_EPOCH;
  const { train, validation } = last;
  const lowestLoss = Math.min(...epochs.map((epoch) => epoch.validation?.loss ?? Infinity));
  const gap = validation ? train.accuracy - validation.accuracy : null;
  const finding = {
    name: NO_EPOCH.name,
    evidence:
      `${plural(epochs.length, 'epoch')}, training loss from ${number(first.train.loss)} to ${number(train.loss)}, ` +
      `accuracy ${percent(train.accuracy)}${validation ? `, ${percent(validation.accuracy)} on validation images` : ''}`,
    numbers: {
      epochs: epochs.length,
      firstLoss: first.train.loss,
      lastLoss: train.loss,
      trainAccuracy: train.accuracy,
      validationAccuracy: validation?.accuracy ?? null,
      gap,
    },
  };
  if (epochs.length > 1 && train.loss > (1 - MIN_PROGRESS) * first.train.loss) {
    const advice = 'the training loss does not fall; see the learning rate below';
    return { ...finding, verdict: 'bad', advice };
  }
  if ((gap !== null && gap > MAX_GAP) || (validation && validation.loss > RISEN * lowestLoss)) {
    const advice = message`it memorized its training images: raise ${field('weightDecay')} or ${field('dropout')}, turn on ${field('flip')}, use more images, or set ${field('earlyStop', 3)}`;
    return { ...finding, verdict: 'warning', advice };
  }
  return { ...finding, verdict: 'ok', advice: null };
}

/** Checks that the saved weights are finite and give the validation accuracy that the run logged last.
 *  @param model holds these weights. @param images the run's training images; undefined if they are not available. */
export async function checkWeights(
  model: Model,
  checkpoint: Checkpoint,
  config: Config,
  images: ImageSet | undefined,
  signal?: AbortSignal,
): Promise<Finding> {
  const name = 'run weights';
  const { progress } = checkpoint;
  const damaged = notFinite(checkpoint.tensors);
  if (damaged.length > 0) {
    const evidence = `NaN or infinite values in ${damaged.join(', ')}`;
    const advice = message`training diverged, or the file was changed; go back to the weights of the best epoch, or train with a lower ${field('lr')}`;
    return { name, verdict: 'bad', evidence, advice, numbers: { notFinite: damaged.length } };
  }
  const recorded = progress.lastEpoch?.validation;
  if (!recorded || progress.epochImages > 0 || !images) {
    return {
      name,
      verdict: 'ok',
      evidence: `all finite, at step ${progress.step}`,
      advice: null,
      numbers: { notFinite: 0 },
    };
  }
  const { validation } = splitTrainingSet(images.labels.length, config.val, config.trainLimit);
  const { accuracy } = await evaluate(model, images, validation, signal);
  const isEqual = Math.abs(accuracy - recorded.accuracy) <= ACCURACY_TOLERANCE;
  return {
    name,
    verdict: isEqual ? 'ok' : 'bad',
    evidence: `all finite; validation accuracy ${percent(accuracy)}, ${percent(recorded.accuracy)} in the log`,
    advice: isEqual ? null : 'the weights are not those that the log describes; train again',
    numbers: { notFinite: 0, accuracy, recorded: recorded.accuracy },
  };
}
