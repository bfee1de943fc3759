import { classCounts } from '../dataset/statistics.ts';
import { Random } from '../random.ts';
import { count, type Finding, number, percent } from './finding.ts';
import { type Laboratory, runTrial, type Trial } from './short-training.ts';

/** Trainings on permuted labels. The images of one class resemble each other, so a model that learned nothing can be
 *  right for more or fewer of them than a coin; several permutations show how much. */
export const PERMUTATIONS = 3;
/** By how much the real labels must beat the best of them, in accuracy and in standard errors of a difference of two shares. */
const CLEAR_GAP = 0.05;
const CLEAR_Z = 4;
/** What a model may reach on permuted labels beyond the share of the largest class. */
const MOST_LUCK = 0.15;

/** Trains on labels that were dealt out at random: nothing can be learned then, and the real labels must do better.
 *
 *  @param real the training with the real labels, at the rate that the control is to have.
 *  Source: C. Zhang et al., "Understanding deep learning requires rethinking generalization" (2017), random labels;
 *  M. Ojala and G. Garriga, "Permutation Tests for Studying Classifier Performance" (2010). */
export async function checkLabels(lab: Laboratory, real: Trial): Promise<Finding> {
  const accuracies: number[] = [];
  for (let i = 0; i < PERMUTATIONS; i++) {
    const trial = await runTrial(permuted(lab, i), { lr: real.learningRate });
    accuracies.push(trial.heldOut?.accuracy ?? 0);
  }
  return judge(real, accuracies, lab);
}

/** The same images, of which those to train on have each other's labels. */
function permuted({ images: { images, labels }, train, ...lab }: Laboratory, permutation: number): Laboratory {
  const dealt = new Uint8Array(new SharedArrayBuffer(labels.length));
  dealt.set(labels);
  const order = new Random(lab.config.seed, 'label permutation', permutation).shuffle(train.slice());
  for (const [i, row] of train.entries()) dealt[row] = labels[order[i]];
  return { ...lab, test: undefined, images: { images, labels: dealt }, train };
}

function judge(trial: Trial, controls: readonly number[], { heldOut, images, model }: Laboratory): Finding {
  const real = trial.heldOut?.accuracy ?? 0;
  const n = heldOut.length;
  const luckiest = Math.max(...controls);
  const labels = Uint8Array.from(heldOut, (row) => images.labels[row]);
  const chance = Math.max(...classCounts(labels, model.logits.shape[1])) / n;
  const z = standardErrors(real, n, luckiest, n);
  const finding = {
    name: 'labels',
    evidence:
      `held-out accuracy at ${number(trial.learningRate)}: ${percent(real)} with the real labels, ` +
      `${controls.map(percent).join(', ')} with permuted ones (z = ${z.toFixed(1)}, ${count(n, 'image')})`,
    numbers: { real, controls, chance, z, images: n },
  };
  if (luckiest > chance + MOST_LUCK) {
    const advice = `permuted labels cannot be learned, and yet more than ${percent(chance)} are right: the images held out are known, look for duplicates`;
    return { ...finding, verdict: 'bad', advice };
  }
  if (real - luckiest < CLEAR_GAP) {
    const advice =
      'the labels tell nothing of the images: they were shuffled, or belong to others; look at images beside their labels';
    return { ...finding, verdict: 'bad', advice };
  }
  if (z < CLEAR_Z) {
    const advice = `${count(n, 'image is', 'images are')} too few to tell whether the labels belong to the images`;
    return { ...finding, verdict: 'warning', advice };
  }
  return { ...finding, verdict: 'ok', advice: null };
}

/** A model must be about as right on test images as on training images that were held out: both are new to it.
 *  @param trial the best of the short trainings. */
export function judgeTestImages({ heldOut, test }: Trial, n: number, testImages: number): Finding {
  const [before, after] = [heldOut?.accuracy ?? 0, test?.accuracy ?? 0];
  const z = standardErrors(before, n, after, testImages);
  const finding = {
    name: 'test images',
    evidence: `accuracy ${percent(after)}, and ${percent(before)} on training images held out (z = ${z.toFixed(1)})`,
    numbers: { test: after, heldOut: before, z, images: testImages },
  };
  if (Math.abs(z) < CLEAR_Z || Math.abs(before - after) < CLEAR_GAP) return { ...finding, verdict: 'ok', advice: null };
  const advice =
    after < before
      ? 'the test images or their labels are others than the training images: look whether they were mixed up or prepared otherwise'
      : 'the test images are easier than new training images: look whether they were trained on';
  return { ...finding, verdict: 'bad', advice };
}

/** z: how many standard errors lie between two shares p of n and q of m, if they are shares of the same. */
function standardErrors(p: number, n: number, q: number, m: number): number {
  const pooled = (p * n + q * m) / (n + m);
  return (p - q) / Math.sqrt(Math.max(pooled * (1 - pooled), 1 / (n + m)) * (1 / n + 1 / m));
}
