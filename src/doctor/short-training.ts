import type { Config } from '../config/config.ts';
import { DivergedError } from '../errors.ts';
import type { ImageSet } from '../images.ts';
import { initialise } from '../models/initialise.ts';
import type { Model } from '../models/model.ts';
import { evaluate, type Metrics } from '../training/evaluate.ts';
import { Trainer } from '../training/trainer.ts';
import { UpdateRatioMeter } from '../training/update-ratios.ts';

/** Setup of short trainings. They can share one model, as each starts from the initial weights. */
export interface ShortTrainingSetup {
  readonly config: Config;
  readonly model: Model;
  readonly images: ImageSet;
  /** Rows to train on. */
  readonly train: Uint32Array;
  /** Rows to evaluate on. */
  readonly heldOut: Uint32Array;
  /** Test images to evaluate on as well. */
  readonly test?: { readonly images: ImageSet; readonly rows: Uint32Array } | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each step. @param share of the training done, in [0, 1]. */
  readonly onStep?: ((share: number) => void) | undefined;
}

/** Result of a short training. The model keeps the final weights. */
export interface ShortTraining {
  readonly learningRate: number;
  /** Loss of each step, before its update. */
  readonly losses: readonly number[];
  /** ‖ΔW‖/‖W‖ at some steps, by the name of the weight. */
  readonly updateRatios: readonly Readonly<Record<string, number>>[];
  /** Mean loss over the last fifth of the steps; Infinity if a loss was NaN or infinite. */
  readonly finalLoss: number;
  /** Metrics after training, on the held-out images; null if a loss was NaN or infinite. */
  readonly heldOut: Metrics | null;
  readonly test: Metrics | null;
}

/** Least number of steps, so that small sets are passed several times; fewer for large batches, which take long. */
const MIN_STEPS = 50;
const MIN_LARGE_BATCH_STEPS = 20;
const LARGE_BATCH = 2000;
/** The warm-up has as many steps as in the whole training, but at most this share of the short one: after a shorter warm-up,
 *  the loss may jump at a rate that is right for the whole. */
const MAX_WARMUP = 0.5;
/** Share of the last steps over which the final loss is averaged. */
const FINAL_SHARE = 0.2;
/** Number of steps at which the updates are measured. */
const RATIO_SAMPLES = 5;

/** Trains as configured for one epoch, or a few on a small set, with the learning rate schedule shortened accordingly.
 *  @param change overrides of the configuration; none that changes the model. */
export async function trainBriefly(setup: ShortTrainingSetup, change: Partial<Config> = {}): Promise<ShortTraining> {
  const { model, images, train, signal, onStep } = setup;
  const given: Config = { ...setup.config, ...change };
  const stepsPerEpoch = Math.ceil(train.length / given.batchSize);
  const minSteps = train.length / stepsPerEpoch > LARGE_BATCH ? MIN_LARGE_BATCH_STEPS : MIN_STEPS;
  const epochs = Math.ceil(minSteps / stepsPerEpoch);
  const steps = epochs * stepsPerEpoch;
  const warmup = Math.min(MAX_WARMUP, (given.warmup * stepsOfWhole(setup, given)) / steps);
  const config: Config = { ...given, epochs, warmup, earlyStop: null };
  initialise(model, config);
  const trainer = new Trainer(model, images, { train, validation: new Uint32Array() }, config);
  const meter = new UpdateRatioMeter(model.graph);
  const [losses, updateRatios]: [number[], Record<string, number>[]] = [[], []];
  const isSampled = (step: number) => (step + 1) % Math.ceil(steps / RATIO_SAMPLES) === 0;

  const events = trainer.run();
  let [heldOut, test]: (Metrics | null)[] = [null, null];
  try {
    if (isSampled(0)) await meter.begin();
    for await (const event of events) {
      if (event.type !== 'step') continue;
      if (isSampled(losses.length)) updateRatios.push(await meter.end());
      losses.push(event.loss);
      // The next step runs when the generator is asked for the next event.
      if (isSampled(losses.length)) await meter.begin();
      signal?.throwIfAborted();
      onStep?.(losses.length / steps);
    }
    const metrics = await evaluate(model, images, setup.heldOut, signal);
    if (Number.isFinite(metrics.loss)) {
      heldOut = metrics;
      if (setup.test) test = await evaluate(model, setup.test.images, setup.test.rows, signal);
    }
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
  }
  const last = losses.slice(-Math.ceil(FINAL_SHARE * losses.length));
  const finalLoss = heldOut ? last.reduce((sum, loss) => sum + loss, 0) / last.length : Infinity;
  return { learningRate: config.lr, losses, updateRatios, finalLoss, heldOut, test };
}

/** The number of steps of the configured training. */
function stepsOfWhole({ images }: ShortTrainingSetup, { epochs, batchSize, val, trainLimit }: Config): number {
  const count = Math.min(trainLimit ?? Infinity, images.labels.length - val);
  return epochs * Math.ceil(Math.max(0, count) / batchSize);
}
