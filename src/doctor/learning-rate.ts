import { field, message } from '../message.ts';
import type { Metrics } from '../training/evaluate.ts';
import { type Finding, median, number, percent } from './finding.ts';
import { type ShortTraining, type ShortTrainingSetup, trainBriefly } from './short-training.ts';

// Judges the learning rate by short trainings at rates a factor of ten apart.

/** Largest distance of the search from the configured rate, in powers of ten. */
const MAX_POWER = 4;
/** A rate that is wrong by this factor or more is bad. */
const BAD_FACTOR = 100;
/** Shares of the progress at the best rate. From `asGood`, a rate is never bad: the choice among equally good rates is
 *  arbitrary. Below `enough`, a rate gets a warning if it is too low, and is bad if it is too high; below `little`, it
 *  is bad: longer training makes up for a rate that is somewhat low, but not for one that is high. */
const PROGRESS = { asGood: 0.9, enough: 0.5, little: 0.25 } as const;
/** A loss that falls by less than this share counts as no progress. */
const MIN_PROGRESS = 0.01;

/** Short trainings, keyed by the power of ten of their learning rate relative to the configured one. */
export interface RangeTest {
  readonly initial: Metrics;
  readonly trainings: ReadonlyMap<number, ShortTraining>;
  /** The power with the lowest final loss; null if all diverged. */
  readonly best: number | null;
}

/** Trains at a tenth of the configured rate, at that rate and at ten times the rate, and then continues in the
 *  direction in which the loss improves.
 *  @param afterChosen called while the model has the weights of the training at the configured rate.
 *  Source: after L. N. Smith, "Cyclical Learning Rates for Training Neural Networks" (2017), section 3.3; CS231n notes,
 *  "Neural Networks 3" (search for hyperparameters on log scale). */
export async function testRange(
  setup: ShortTrainingSetup,
  initial: Metrics,
  afterChosen: () => Promise<void> = async () => {},
): Promise<RangeTest> {
  const trainings = new Map<number, ShortTraining>();
  const run = async (power: number) => {
    // toPrecision removes the rounding error of the product.
    const training = await trainBriefly(setup, { lr: Number((setup.config.lr * 10 ** power).toPrecision(12)) });
    trainings.set(power, training);
    if (power === 0) await afterChosen();
  };
  for (const power of [-1, 0, 1]) await run(power);
  for (;;) {
    const best = bestOf(trainings);
    const [lowest, highest] = [Math.min(...trainings.keys()), Math.max(...trainings.keys())];
    const next = best === null || best === lowest ? lowest - 1 : best === highest ? highest + 1 : null;
    if (next === null || Math.abs(next) > MAX_POWER) return { initial, trainings, best };
    await run(next);
  }
}

function bestOf(trainings: ReadonlyMap<number, ShortTraining>): number | null {
  let best: number | null = null;
  for (const power of trainings.keys()) {
    const { finalLoss } = trainings.get(power)!;
    if (Number.isFinite(finalLoss) && (best === null || finalLoss < trainings.get(best)!.finalLoss)) best = power;
  }
  return best;
}

/** Whether the loss on held-out images fell at any rate. The training loss also falls when a model only memorizes
 *  labels. */
function hasLearned({ initial, trainings }: RangeTest): boolean {
  return [...trainings.values()].some(({ heldOut }) => heldOut && heldOut.loss < (1 - MIN_PROGRESS) * initial.loss);
}

/** Judges how close the configured rate is to the best one. */
export function judgeLearningRate(range: RangeTest): Finding {
  const { initial, trainings, best } = range;
  const rates = [...trainings.values()].map(({ learningRate }) => learningRate).sort((a, b) => a - b);
  const gainAt = (power: number) => initial.loss - trainings.get(power)!.finalLoss;
  const progress = best === null ? 0 : gainAt(0) / gainAt(best);
  const bestRate = best === null ? null : trainings.get(best)!.learningRate;
  const finding = {
    name: 'learning rate',
    evidence: rangeEvidence(range),
    numbers: {
      chosen: trainings.get(0)!.learningRate,
      best: bestRate,
      progress: Number.isFinite(progress) ? progress : null,
      rates,
      initialLoss: initial.loss,
    },
  };
  if (!hasLearned(range)) {
    const advice = `no rate from ${number(rates[0])} to ${number(rates.at(-1)!)} learns anything; check the images, labels and gradients first`;
    return { ...finding, verdict: 'warning', advice };
  }
  const [distance, direction] = [10 ** Math.abs(best!), best! < 0 ? 'high' : 'low'];
  const minProgress = best! < 0 ? PROGRESS.enough : PROGRESS.little;
  if (progress < minProgress || (distance >= BAD_FACTOR && progress < PROGRESS.asGood)) {
    const advice = message`about ${distance} times too ${direction}${consequenceOf(progress)}; try ${field('lr', bestRate!)}`;
    return { ...finding, verdict: 'bad', advice };
  }
  if (progress < PROGRESS.enough) {
    const advice = message`it makes ${percent(progress)} of the progress of the best rate; probably too low, try ${field('lr', bestRate!)}`;
    return { ...finding, verdict: 'warning', advice };
  }
  return { ...finding, verdict: 'ok', advice: null };
}

function consequenceOf(progress: number): string {
  if (!Number.isFinite(progress)) return ': training diverges';
  return progress < 0 ? ': training makes the loss larger' : '';
}

function rangeEvidence({ initial, trainings }: RangeTest): string {
  const results = [...trainings.keys()]
    .sort((a, b) => a - b)
    .map((power) => {
      const { finalLoss, learningRate, losses } = trainings.get(power)!;
      const result = Number.isFinite(finalLoss) ? number(finalLoss) : `NaN at step ${losses.length + 1}`;
      return `${result} at ${number(learningRate)}${power === 0 ? ' (chosen)' : ''}`;
    });
  const steps = Math.max(...[...trainings.values()].map(({ losses }) => losses.length));
  return `initial loss ${number(initial.loss)}; after ${steps} steps ${results.join(', ')}`;
}

/** Factors on the initial loss: of a final loss that has risen, and of a highest loss that has jumped. */
const RISEN = 1.05;
const JUMPED = 1.5;

/** Judges the loss curve of the short training at the configured rate. @param initial metrics before training. */
export function judgeCurve({ losses, heldOut }: ShortTraining, initial: Metrics): Finding {
  const name = 'loss curve';
  const smooth = smoothed(losses, Math.max(1, Math.ceil(losses.length / 10)));
  const [first, last, highest] = [initial.loss, smooth.at(-1) ?? initial.loss, Math.max(...smooth)];
  const evidence = heldOut
    ? `training loss from ${number(first)} to ${number(last)} in ${losses.length} steps`
    : `the training loss is NaN or infinite after ${losses.length} steps`;
  const finding = { name, evidence, numbers: { steps: losses.length, first, last, highest } };
  if (!heldOut || last > RISEN * first) {
    const advice = `the loss ${heldOut ? 'rises' : 'diverges'}: the learning rate is too high, or the weights are too large`;
    return { ...finding, verdict: 'bad', advice };
  }
  if (highest > JUMPED * first) {
    const advice = `the loss jumps to ${number(highest)}: lower the learning rate, or warm up for longer`;
    return { ...finding, verdict: 'warning', advice };
  }
  if (last > (1 - MIN_PROGRESS) * first) {
    const advice = 'the loss is flat: the learning rate is too low, or there is nothing to learn';
    return { ...finding, verdict: 'warning', advice };
  }
  return { ...finding, verdict: 'ok', advice: null };
}

/** Means of consecutive blocks of `width` values. */
function smoothed(values: readonly number[], width: number): number[] {
  const means: number[] = [];
  for (let at = 0; at + width <= values.length; at += width) {
    means.push(values.slice(at, at + width).reduce((sum, value) => sum + value, 0) / width);
  }
  return means;
}

/** Usual range of ‖ΔW‖/‖W‖. The notes say "around 1e-3"; small output weights and short trainings move more. */
const USUAL_RATIO = { min: 1e-4, max: 5e-2 } as const;

/** Judges the size of the updates relative to the weights in the short training at the configured rate.
 *  Source: CS231n notes, "Neural Networks 3" (ratio of weights:updates). */
export function judgeUpdates({ updateRatios }: ShortTraining): Finding {
  const name = 'updates';
  const names = new Set(updateRatios.flatMap((ratios) => Object.keys(ratios)));
  const medians = Array.from(names, (weight) => {
    // Ratios that are not finite were omitted.
    const measured = updateRatios.map((ratios) => ratios[weight]).filter((ratio) => ratio !== undefined);
    return [weight, median(measured)] as const;
  });
  const numbers = Object.fromEntries(medians);
  if (medians.length === 0) {
    const advice = 'training diverged before updates could be measured; lower the learning rate';
    return { name, verdict: 'bad', evidence: 'no finite update', advice, numbers };
  }
  const evidence = `‖ΔW‖/‖W‖ per step: ${medians.map(([weight, ratio]) => `${weight} ${ratio.toExponential(1)}`).join(', ')}`;
  const [, ratio] = medians[0];
  if (ratio < USUAL_RATIO.min || ratio > USUAL_RATIO.max) {
    const advice = `about 1e-3 is usual; the learning rate may be too ${ratio < USUAL_RATIO.min ? 'low' : 'high'}`;
    return { name, verdict: 'warning', evidence, advice, numbers };
  }
  return { name, verdict: 'ok', evidence, advice: null, numbers };
}
