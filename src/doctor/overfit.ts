import type { Backend } from '../backends/backend.ts';
import type { Config } from '../config/config.ts';
import { DivergedError } from '../errors.ts';
import type { ImageSet } from '../images.ts';
import { initialise } from '../models/initialise.ts';
import { buildModel, type Model } from '../models/model.ts';
import { Trainer } from '../training/trainer.ts';
import { count, type Finding, number, percent } from './finding.ts';

/** A tiny part of the training images. */
const IMAGES = 20;
const MOST_STEPS = 300;
/** The loss that counts as zero, in parts of the initial one. */
const NEARLY_ZERO = 0.01;
/** Factors on the configured rate, in the order in which they are tried: whether a model can learn 20 images by heart must
 *  not depend on the rate, which another check judges. */
const FACTORS = [1, 0.1, 10, 0.01, 100, 0.001] as const;

interface Attempt {
  readonly learningRate: number;
  readonly steps: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly succeeded: boolean;
}

/** Learns 20 images by heart: without augmentation, dropout, label smoothing and weight decay the loss goes to zero, or
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
    epochs: MOST_STEPS,
    schedule: 'constant',
    warmup: 0,
    earlyStop: null,
  };
  const model = buildModel(backend, plain, rows.length);
  let best: Attempt | undefined;
  for (const factor of FACTORS) {
    const attempt = await learnByHeart(model, images, rows, { ...plain, lr: factor * config.lr }, signal);
    if (!best || attempt.succeeded || attempt.loss < best.loss) best = attempt;
    if (attempt.succeeded) break;
  }
  return judge(best!, rows.length);
}

async function learnByHeart(
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
      const succeeded = loss < NEARLY_ZERO * initial && accuracy === 1;
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
      `${count(images, 'image')} learned by heart to a loss of ${number(loss)}, ` +
      `${percent(accuracy)} right, in ${count(steps, 'step')} at ${number(learningRate)}`,
    advice: succeeded
      ? null
      : 'a model that cannot learn 20 images by heart is broken or far too small: check the gradients, more --hidden units, ' +
        'and whether the same image has two labels',
    numbers: { images, steps, loss: Number.isFinite(loss) ? loss : null, accuracy, learningRate },
  };
}
