import type { Config } from '../config/config.ts';
import { DivergedError } from '../errors.ts';
import type { ImageSet } from '../images.ts';
import { initialise } from '../models/initialise.ts';
import type { Model } from '../models/model.ts';
import { evaluate, type Metrics } from '../training/evaluate.ts';
import { Trainer } from '../training/trainer.ts';
import { UpdateRatioMeter } from '../training/update-ratios.ts';

/** What short trainings need. The model can be used again and again: each begins at its initial weights. */
export interface Laboratory {
  readonly config: Config;
  readonly model: Model;
  readonly images: ImageSet;
  /** Rows to train on. */
  readonly train: Uint32Array;
  /** Rows to test on. */
  readonly heldOut: Uint32Array;
  /** Other images to test on as well: those of the test set. */
  readonly test?: { readonly images: ImageSet; readonly rows: Uint32Array } | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each step with the share of its training that is done, in [0, 1]. */
  readonly onStep?: ((share: number) => void) | undefined;
}

/** What a short training came to. The model still has its last weights. */
export interface Trial {
  readonly learningRate: number;
  /** Of each step, before its update. */
  readonly losses: readonly number[];
  /** ‖ΔW‖/‖W‖ of some steps, of the weights under their names. */
  readonly updateRatios: readonly Readonly<Record<string, number>>[];
  /** Mean over the last fifth of the steps; Infinity if a loss was NaN or infinite. */
  readonly finalLoss: number;
  /** Afterwards, on the images held out; null if a loss was NaN or infinite. */
  readonly heldOut: Metrics | null;
  readonly test: Metrics | null;
}

/** Steps that a trial has at least, so that small sets are passed over several times; fewer where batches are so large that
 *  it would take long. */
const FEWEST_STEPS = 50;
const FEWEST_LARGE_STEPS = 20;
const LARGE_BATCH = 2000;
/** The last part of the steps, of which the final loss is the mean. */
const FINAL_SHARE = 0.2;
/** Steps in which the updates are measured. */
const RATIO_SAMPLES = 5;

/** Trains as the configuration says, but briefly: for one pass over the images, or a few over a small set, the schedule
 *  of the learning rate shortened to that.
 *  @param change what is to be other than configured; nothing that the model is built of. */
export async function runTrial(lab: Laboratory, change: Partial<Config> = {}): Promise<Trial> {
  const { model, images, train, signal, onStep } = lab;
  const given: Config = { ...lab.config, ...change };
  const stepsPerEpoch = Math.ceil(train.length / given.batchSize);
  const fewest = train.length / stepsPerEpoch > LARGE_BATCH ? FEWEST_LARGE_STEPS : FEWEST_STEPS;
  const config: Config = { ...given, epochs: Math.ceil(fewest / stepsPerEpoch), earlyStop: null };
  const steps = config.epochs * stepsPerEpoch;
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
      // The generator does the next step when it is asked for the next event.
      if (isSampled(losses.length)) await meter.begin();
      signal?.throwIfAborted();
      onStep?.(losses.length / steps);
    }
    const metrics = await evaluate(model, images, lab.heldOut, signal);
    if (Number.isFinite(metrics.loss)) {
      heldOut = metrics;
      if (lab.test) test = await evaluate(model, lab.test.images, lab.test.rows, signal);
    }
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
  }
  const last = losses.slice(-Math.ceil(FINAL_SHARE * losses.length));
  const finalLoss = heldOut ? last.reduce((sum, loss) => sum + loss, 0) / last.length : Infinity;
  return { learningRate: config.lr, losses, updateRatios, finalLoss, heldOut, test };
}
