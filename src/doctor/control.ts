import { classCounts } from '../dataset/statistics.ts';
import { plural } from '../format.ts';
import { Random } from '../random.ts';
import { type Finding, number, percent } from './finding.ts';
import { type ShortTraining, type ShortTrainingSetup, trainBriefly } from './short-training.ts';

/** Number of trainings on permuted labels. Images of one class resemble each other, so a model that learned nothing can
 *  score above or below chance; several permutations show by how much. */
export const PERMUTATIONS = 3;
/** Least margin of the real labels over the best permutation, in accuracy and in standard errors of the difference. */
const MIN_GAP = 0.05;
const MIN_Z = 4;
/** Largest excess of the accuracy on permuted labels over the share of the largest class. */
const MAX_LUCK = 0.15;

/** Trains on randomly permuted labels, from which nothing can be learned, and requires the real labels to do better.
 *
 *  @param real the training with the real labels; its learning rate is used for the control.
 *  Source: C. Zhang et al., "Understanding deep learning requires rethinking generalization" (2017), random labels;
 *  M. Ojala and G. Garriga, "Permutation Tests for Studying Classifier Performance" (2010). */
export async function checkLabels(setup: ShortTrainingSetup, real: ShortTraining): Promise<Finding> {
  const accuracies: number[] = [];
  for (let i = 0; i < PERMUTATIONS; i++) {
    const { heldOut } = await trainBriefly(permuted(setup, i), { lr: real.learningRate });
    accuracies.push(heldOut?.accuracy ?? 0);
  }
  return judge(real, accuracies, setup);
}

/** The same setup with the labels of the training images permuted. */
function permuted(setup: ShortTrainingSetup, permutation: number): ShortTrainingSetup {
  const { images, labels } = setup.images;
  const permutedLabels = new Uint8Array(labels.length);
  permutedLabels.set(labels);
  const order = new Random(setup.config.seed, 'label permutation', permutation).shuffle(setup.train.slice());
  for (const [i, row] of setup.train.entries()) permutedLabels[row] = labels[order[i]];
  return { ...setup, test: undefined, images: { images, labels: permutedLabels } };
}

function judge(
  training: ShortTraining,
  controls: readonly number[],
  { heldOut, images, model }: ShortTrainingSetup,
): Finding {
  const real = training.heldOut?.accuracy ?? 0;
  const n = heldOut.length;
  const bestControl = Math.max(...controls);
  const labels = Uint8Array.from(heldOut, (row) => images.labels[row]);
  const chance = Math.max(...classCounts(labels, model.logits.shape[1])) / n;
  const z = standardErrors(real, n, bestControl, n);
  const finding = {
    name: 'labels',
    evidence:
      `held-out accuracy at ${number(training.learningRate)}: ${percent(real)} with the real labels, ` +
      `${controls.map(percent).join(', ')} with permuted ones (z = ${z.toFixed(1)}, ${plural(n, 'image')})`,
    numbers: { real, controls, chance, z, images: n },
  };
  if (bestControl > chance + MAX_LUCK) {
    const advice = `permuted labels cannot be learned, yet the accuracy is well above chance (${percent(chance)}): the model has seen the held-out images; look for duplicates`;
    return { ...finding, verdict: 'bad', advice };
  }
  if (real - bestControl < MIN_GAP) {
    const advice =
      'the labels do not describe the images: they were shuffled or belong to other images; view some images with their labels';
    return { ...finding, verdict: 'bad', advice };
  }
  if (z < MIN_Z) {
    const advice = `${plural(n, 'image is', 'images are')} too few to tell whether the labels match the images`;
    return { ...finding, verdict: 'warning', advice };
  }
  return { ...finding, verdict: 'ok', advice: null };
}

/** Requires similar accuracies on test images and on held-out training images, as both are new to the model.
 *  @param training the best of the short trainings. */
export function judgeTestImages({ heldOut, test }: ShortTraining, n: number, testImages: number): Finding {
  const [onTraining, onTest] = [heldOut?.accuracy ?? 0, test?.accuracy ?? 0];
  const z = standardErrors(onTraining, n, onTest, testImages);
  const finding = {
    name: 'test images',
    evidence: `accuracy ${percent(onTest)}, against ${percent(onTraining)} on held-out training images (z = ${z.toFixed(1)})`,
    numbers: { test: onTest, heldOut: onTraining, z, images: testImages },
  };
  if (Math.abs(z) < MIN_Z || Math.abs(onTraining - onTest) < MIN_GAP)
    return { ...finding, verdict: 'ok', advice: null };
  const advice =
    onTest < onTraining
      ? 'the test images or labels do not match the training set: check whether they were mixed up or preprocessed differently'
      : 'the test images are easier than unseen training images: check whether they are in the training set';
  return { ...finding, verdict: 'bad', advice };
}

/** Difference of two shares p of n and q of m in standard errors (z), for equal true shares. */
function standardErrors(p: number, n: number, q: number, m: number): number {
  const pooled = (p * n + q * m) / (n + m);
  return (p - q) / Math.sqrt(Math.max(pooled * (1 - pooled), 1 / (n + m)) * (1 / n + 1 / m));
}
