import type { Config } from '../config/config.ts';
import type { ImageSet } from '../images.ts';
import type { Model } from '../models/model.ts';
import { splitTrainingSet } from '../training/batches.ts';
import { evaluate } from '../training/evaluate.ts';
import type { Checkpoint, EpochMetrics } from '../training/progress.ts';
import { count, type Finding, number, percent } from './finding.ts';

// What a saved run says of itself.

/** Training accuracy may be so much above that on validation images. */
const USUAL_GAP = 0.2;
/** A validation loss so much above its least one has been rising. */
const RISEN = 1.1;
/** Of the loss, what a run improves at least. */
const NO_PROGRESS = 0.01;
/** Another backend may decide near ties otherwise, in so many images of a thousand. */
const OTHER_BITS = 0.005;

const NO_EPOCH: Finding = {
  name: 'run curves',
  verdict: 'warning',
  evidence: 'no epoch has ended',
  advice: 'train it first: nn-train --resume RUN',
  numbers: { epochs: 0 },
};

/** The curves of the run, epoch by epoch.
 *  Source: CS231n notes, "Neural Networks 3" (loss function, train/val accuracy). */
export function judgeCurves(epochs: readonly EpochMetrics[]): Finding {
  const [first, last] = [epochs[0], epochs.at(-1)];
  if (!first || !last) return NO_EPOCH;
  const { train, validation } = last;
  const leastLoss = Math.min(...epochs.map((epoch) => epoch.validation?.loss ?? Infinity));
  const gap = validation ? train.accuracy - validation.accuracy : null;
  const finding = {
    name: NO_EPOCH.name,
    evidence:
      `${count(epochs.length, 'epoch')}, training loss from ${number(first.train.loss)} to ${number(train.loss)}, ` +
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
  if (epochs.length > 1 && train.loss > (1 - NO_PROGRESS) * first.train.loss) {
    const advice = 'the training loss does not fall; see the learning rate below';
    return { ...finding, verdict: 'bad', advice };
  }
  if ((gap !== null && gap > USUAL_GAP) || (validation && validation.loss > RISEN * leastLoss)) {
    const advice =
      'it learned its training images by heart: more --weight-decay or --dropout, --flip, more images, or --early-stop 3';
    return { ...finding, verdict: 'warning', advice };
  }
  return { ...finding, verdict: 'ok', advice: null };
}

/** Whether the saved weights are numbers, and those that the run's last line speaks of.
 *  @param model with these weights. @param images what the run was trained on; undefined if other images are at hand. */
export async function checkWeights(
  model: Model,
  checkpoint: Checkpoint,
  config: Config,
  images: ImageSet | undefined,
  signal?: AbortSignal,
): Promise<Finding> {
  const name = 'run weights';
  const { progress } = checkpoint;
  const damaged = notFinite(checkpoint);
  if (damaged.length > 0) {
    const evidence = `NaN or infinite numbers in ${damaged.join(', ')}`;
    const advice = 'training diverged, or the file was changed; go back to --weights best, or train with a lower --lr';
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
  const isSame = Math.abs(accuracy - recorded.accuracy) <= OTHER_BITS;
  return {
    name,
    verdict: isSame ? 'ok' : 'bad',
    evidence: `all finite; validation accuracy ${percent(accuracy)}, and ${percent(recorded.accuracy)} in its log`,
    advice: isSame ? null : 'the weights are not those that the log speaks of; train again',
    numbers: { notFinite: 0, accuracy, recorded: recorded.accuracy },
  };
}

/** The names of the tensors that hold a number that is NaN or infinite. */
export function notFinite({ tensors }: Checkpoint): string[] {
  return [...tensors].filter(([, { values }]) => !values.every(Number.isFinite)).map(([name]) => name);
}
