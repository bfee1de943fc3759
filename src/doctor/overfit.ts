import type { Backend } from '../backends/backend.ts';
import type { Config } from '../config/config.ts';
import { DivergedError } from '../errors.ts';
import { plural } from '../format.ts';
import type { ImageSet } from '../images.ts';
import { field, message } from '../message.ts';
import { initialise } from '../models/initialise.ts';
import { buildModel, type Model } from '../models/model.ts';
import { Trainer } from '../training/trainer.ts';
import { type Finding, number, percent } from './finding.ts';

/** Training images to memorize. */
const IMAGES = 20;
const MAX_STEPS = 300;
/** A loss below this share of the initial one counts as zero. */
const ZERO_SHARE = 0.01;
/** Factors on the configured learning rate, in the order in which they are tried. The result must not depend on the
 *  rate, which another check judges. */
const FACTORS = [1, 0.1, 10, 0.01, 100, 0.001] as const;

interface Attempt {
  readonly learningRate: number;
  readonly steps: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly succeeded: boolean;
}

/** Memorizes 20 images: without augmentation, dropout, label smoothing and weight decay the loss must go to zero, or
 *  something is broken.
 *  Source: CS231n notes, "Neural Networks 3" (sanity checks: overfit a tiny subset of data). */
export async function checkOverfitting(
  backend: Backend,
  config: Config,
  { images, train, signal }: { images: ImageSet; train: Uint32Array; signal?: AbortSignal | undefined },
): Promise<Finding> {
  const rows = train.slice(0, IMAGES);
  const plain: Config = {
    ...config,
    dropout: 0,
    labelSmoothing: 0,
    weightDecay: 0,
    flip: false,
    shift: 0,
    batchSize: rows.length,
    epochs: MAX_STEPS,
    schedule: 'constant',
    warmup: 0,
    earlyStop: null,
  };
  const model = buildModel(backend, plain, rows.length);
  let best: Attempt | undefined;
  for (const factor of FACTORS) {
    const attempt = await memorize(model, images, rows, { ...plain, lr: factor * config.lr }, signal);
    if (!best || attempt.succeeded || attempt.loss < best.loss) best = attempt;
    if (attempt.succeeded) break;
  }
  return judge(best!, rows.length);
}

async function memorize(
  model: Model,
  images: ImageSet,
  rows: Uint32Array,
  config: Config,
  signal: AbortSignal | undefined,
): Promise<Attempt> {
  initialise(model, config);
  const trainer = new Trainer(model, images, { train: rows, validation: new Uint32Array() }, config);
  let attempt: Attempt = { learningRate: config.lr, steps: 0, loss: Infinity, accuracy: 0, succeeded: false };
  let initial: number | undefined;
  try {
    for await (const event of trainer.run()) {
      if (event.type !== 'step') continue;
      const { loss, accuracy } = event;
      initial ??= loss;
      const succeeded = loss < ZERO_SHARE * initial && accuracy === 1;
      attempt = { ...attempt, steps: event.progress.step, loss, accuracy, succeeded };
      signal?.throwIfAborted();
      if (succeeded) break;
    }
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    return { ...attempt, loss: Infinity };
  }
  return attempt;
}

function judge({ steps, loss, accuracy, learningRate, succeeded }: Attempt, images: number): Finding {
  return {
    name: 'overfitting',
    verdict: succeeded ? 'ok' : 'bad',
    evidence:
      `${plural(images, 'image')} memorized to a loss of ${number(loss)}, ` +
      `accuracy ${percent(accuracy)}, in ${plural(steps, 'step')} at ${number(learningRate)}`,
    advice: succeeded
      ? null
      : message`a model that cannot memorize 20 images is broken or far too small: check the gradients, raise ${field('hidden')}, and look for images that appear with two labels`,
    numbers: { images, steps, loss: Number.isFinite(loss) ? loss : null, accuracy, learningRate },
  };
}
