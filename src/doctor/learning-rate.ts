import type { Metrics } from '../training/evaluate.ts';
import { type Finding, median, number, percent } from './finding.ts';
import { type Laboratory, runTrial, type Trial } from './short-training.ts';

// The learning rate, judged by short trainings at rates that are powers of ten apart.

/** How many powers of ten the search goes from the configured rate, at most. */
const FARTHEST = 4;
/** A rate that is the best one times so much, or divided by so much, is wrong. */
const WRONG = 100;
/** Parts of the progress at the best rate: what is as good as that, lest the choice between equals decides; what is enough;
 *  and what is next to nothing. Longer training makes up for a rate that is somewhat low, but not for one that is high. */
const PROGRESS = { asGood: 0.9, enough: 0.5, little: 0.25 } as const;
/** A loss that falls by less than this share has not learned anything. */
const NO_PROGRESS = 0.01;

/** Short trainings by the power of ten of their rate, in units of the configured one. */
export interface RangeTest {
  readonly initial: Metrics;
  readonly trials: ReadonlyMap<number, Trial>;
  /** The power with the least final loss; null if all diverged. */
  readonly best: number | null;
}

/** Trains with a tenth of the configured rate, with that, and with ten times as much, and goes on to where it gets better.
 *  @param afterChosen called when the model has the weights of the training at the configured rate.
 *  Source: after L. N. Smith, "Cyclical Learning Rates for Training Neural Networks" (2017), section 3.3; CS231n notes,
 *  "Neural Networks 3" (search for hyperparameters on log scale). */
export async function testRange(
  lab: Laboratory,
  initial: Metrics,
  afterChosen: () => Promise<void> = async () => {},
): Promise<RangeTest> {
  const trials = new Map<number, Trial>();
  const run = async (power: number) => {
    // Without the rounding error of the product.
    const trial = await runTrial(lab, { lr: Number((lab.config.lr * 10 ** power).toPrecision(12)) });
    trials.set(power, trial);
    if (power === 0) await afterChosen();
  };
  for (const power of [-1, 0, 1]) await run(power);
  for (;;) {
    const best = bestOf(trials);
    const [lowest, highest] = [Math.min(...trials.keys()), Math.max(...trials.keys())];
    const next = best === null || best === lowest ? lowest - 1 : best === highest ? highest + 1 : null;
    if (next === null || Math.abs(next) > FARTHEST) return { initial, trials, best };
    await run(next);
  }
}

function bestOf(trials: ReadonlyMap<number, Trial>): number | null {
  let best: number | null = null;
  for (const power of trials.keys()) {
    const { finalLoss } = trials.get(power)!;
    if (Number.isFinite(finalLoss) && (best === null || finalLoss < trials.get(best)!.finalLoss)) best = power;
  }
  return best;
}

/** Whether the loss on images held out fell at any rate: that of images trained on falls where labels are learned by heart,
 *  too. */
function hasLearned({ initial, trials }: RangeTest): boolean {
  return [...trials.values()].some(({ heldOut }) => heldOut && heldOut.loss < (1 - NO_PROGRESS) * initial.loss);
}

/** Whether the configured rate is near the best one. */
export function judgeLearningRate(range: RangeTest): Finding {
  const { initial, trials, best } = range;
  const rates = [...trials.values()].map(({ learningRate }) => learningRate).sort((a, b) => a - b);
  const gainAt = (power: number) => initial.loss - trials.get(power)!.finalLoss;
  const progress = best === null ? 0 : gainAt(0) / gainAt(best);
  const bestRate = best === null ? null : trials.get(best)!.learningRate;
  const finding = {
    name: 'learning rate',
    evidence: rangeEvidence(range),
    numbers: {
      chosen: trials.get(0)!.learningRate,
      best: bestRate,
      progress: Number.isFinite(progress) ? progress : null,
      rates,
      initialLoss: initial.loss,
    },
  };
  if (!hasLearned(range)) {
    const advice = `no rate from ${number(rates[0])} to ${number(rates.at(-1)!)} learns anything; look at the images, labels and gradients first`;
    return { ...finding, verdict: 'warning', advice };
  }
  const [distance, direction] = [10 ** Math.abs(best!), best! < 0 ? 'high' : 'low'];
  const least = best! < 0 ? PROGRESS.enough : PROGRESS.little;
  if (progress < least || (distance >= WRONG && progress < PROGRESS.asGood)) {
    const advice = `about ${distance} times too ${direction}${consequenceOf(progress)}; try --lr ${number(bestRate!)}`;
    return { ...finding, verdict: 'bad', advice };
  }
  if (progress < PROGRESS.enough) {
    const advice = `it makes ${percent(progress)} of the progress of the best rate; probably too low, try --lr ${number(bestRate!)}`;
    return { ...finding, verdict: 'warning', advice };
  }
  return { ...finding, verdict: 'ok', advice: null };
}

function consequenceOf(progress: number): string {
  if (!Number.isFinite(progress)) return ': training diverges';
  return progress < 0 ? ': training makes the loss larger' : '';
}

function rangeEvidence({ initial, trials }: RangeTest): string {
  const results = [...trials.keys()]
    .sort((a, b) => a - b)
    .map((power) => {
      const { finalLoss, learningRate, losses } = trials.get(power)!;
      const result = Number.isFinite(finalLoss) ? number(finalLoss) : `NaN at step ${losses.length + 1}`;
      return `${result} at ${number(learningRate)}${power === 0 ? ' (chosen)' : ''}`;
    });
  const steps = Math.max(...[...trials.values()].map(({ losses }) => losses.length));
  return `loss ${number(initial.loss)} at first; after ${steps} steps ${results.join(', ')}`;
}

/** A loss that ends so much higher than it began has risen; one that was so much higher in between has jumped. */
const RISEN = 1.05;
const JUMPED = 1.5;

/** The shape of the loss over the short training at the configured rate. @param initial before it. */
export function judgeCurve({ losses, heldOut }: Trial, initial: Metrics): Finding {
  const name = 'loss curve';
  const smooth = smoothed(losses, Math.max(1, Math.ceil(losses.length / 10)));
  const [first, last, highest] = [initial.loss, smooth.at(-1) ?? initial.loss, Math.max(...smooth)];
  const evidence = heldOut
    ? `training loss from ${number(first)} to ${number(last)} in ${losses.length} steps`
    : `the training loss is NaN or infinite after ${losses.length} steps`;
  const finding = { name, evidence, numbers: { steps: losses.length, first, last, highest } };
  if (!heldOut || last > RISEN * first) {
    const advice = `it ${heldOut ? 'rises' : 'blows up'}: the learning rate is too high, or the weights are too large`;
    return { ...finding, verdict: 'bad', advice };
  }
  if (highest > JUMPED * first) {
    const advice = `it jumps to ${number(highest)} in between: lower the learning rate, or warm up for longer`;
    return { ...finding, verdict: 'warning', advice };
  }
  if (last > (1 - NO_PROGRESS) * first) {
    const advice = 'it is flat: the learning rate is too low, or there is nothing to learn';
    return { ...finding, verdict: 'warning', advice };
  }
  return { ...finding, verdict: 'ok', advice: null };
}

/** Means of neighbours. */
function smoothed(values: readonly number[], width: number): number[] {
  const means: number[] = [];
  for (let at = 0; at + width <= values.length; at += width) {
    means.push(values.slice(at, at + width).reduce((sum, value) => sum + value, 0) / width);
  }
  return means;
}

/** ‖ΔW‖/‖W‖ that is usual. The notes say "around 1e-3"; small output weights and short trainings move more. */
const USUAL_RATIO = { least: 1e-4, most: 5e-2 } as const;

/** The size of the updates beside that of the weights, over the short training at the configured rate.
 *  Source: CS231n notes, "Neural Networks 3" (ratio of weights:updates). */
export function judgeUpdates({ updateRatios }: Trial): Finding {
  const name = 'updates';
  const names = new Set(updateRatios.flatMap((ratios) => Object.keys(ratios)));
  const medians = Array.from(names, (weight) => {
    // A ratio that is no number was left out.
    const measured = updateRatios.map((ratios) => ratios[weight]).filter((ratio) => ratio !== undefined);
    return [weight, median(measured)] as const;
  });
  const numbers = Object.fromEntries(medians);
  if (medians.length === 0) {
    const advice = 'training diverged before they could be measured; lower the learning rate';
    return { name, verdict: 'bad', evidence: 'not one update that is a finite number', advice, numbers };
  }
  const evidence = `‖ΔW‖/‖W‖ of a step: ${medians.map(([weight, ratio]) => `${weight} ${ratio.toExponential(1)}`).join(', ')}`;
  const [, ratio] = medians[0];
  if (ratio < USUAL_RATIO.least || ratio > USUAL_RATIO.most) {
    const advice = `about 1e-3 is usual; the learning rate may be too ${ratio < USUAL_RATIO.least ? 'low' : 'high'}`;
    return { name, verdict: 'warning', evidence, advice, numbers };
  }
  return { name, verdict: 'ok', evidence, advice: null, numbers };
}
