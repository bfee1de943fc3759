import type { Tensor } from '../backends/backend.ts';
import type { Config } from '../config/config.ts';
import type { Wire } from '../engine/wire.ts';
import { DivergedError } from '../errors.ts';
import type { ImageSet } from '../images.ts';
import { field, message } from '../message.ts';
import type { Model } from '../models/model.ts';
import { OPTIMIZERS } from '../optim/optimizers.ts';
import { learningRateAt } from '../optim/schedule.ts';
import { Updater } from '../optim/updater.ts';
import { Random } from '../random.ts';
import type { NamedTensor } from '../weights/safetensors.ts';
import { augmentedBatch, type Split, shuffled } from './batches.ts';
import { contradictionIn } from './consistency.ts';
import { evaluate, loadBatch } from './evaluate.ts';
import { yieldToEventLoop } from './event-loop.ts';
import {
  type Checkpoint,
  type EpochResult,
  INITIAL_PROGRESS,
  type Progress,
  type Schedules,
  type Times,
  type TrainingEvent,
  wholeSchedule,
  ZERO_TIMES,
} from './progress.ts';
import { misfit, notFinite, writeTensors } from './restore.ts';
import { samplingInterval, UpdateRatioMeter } from './update-ratios.ts';

/** Trains a model on images in mini-batches. It knows neither terminal nor file: it yields events. */
export class Trainer {
  readonly stepsPerEpoch: number;
  readonly #model: Model;
  readonly #images: ImageSet;
  readonly #split: Split;
  readonly #config: Config;
  readonly #schedules: Schedules;
  readonly #updater: Updater<Wire>;
  readonly #correct: Tensor;
  readonly #meter: UpdateRatioMeter;
  #progress: Progress = INITIAL_PROGRESS;
  #times: Times = ZERO_TIMES;

  /** @param schedules of the learning rate, the last one up to the configured number of epochs. */
  constructor(model: Model, images: ImageSet, split: Split, config: Config, schedules = wholeSchedule(config)) {
    this.#model = model;
    this.#images = images;
    this.#split = split;
    this.#config = config;
    this.#schedules = schedules;
    this.stepsPerEpoch = Math.ceil(split.train.length / config.batchSize);
    const { backend, parameters } = model.graph;
    this.#updater = new Updater(OPTIMIZERS[config.optimizer].create(config), backend, parameters);
    this.#correct = backend.allocate([]);
    this.#meter = new UpdateRatioMeter(model.graph);
  }

  get progress(): Progress {
    return this.#progress;
  }

  /** What a checkpoint holds: the parameters and the state of the optimiser, by name. */
  get tensors(): readonly (readonly [name: string, tensor: Tensor])[] {
    return this.#updater.tensors;
  }

  get times(): Times {
    return this.#times;
  }

  get epochsDone(): number {
    return this.#progress.lastEpoch?.epoch ?? 0;
  }

  get isDone(): boolean {
    return isDone(this.#progress, this.#config, this.#schedules);
  }

  /** Trains to the end of the run. May be stopped between any two events and called again to continue.
   *  @throws DivergedError if a loss is NaN or infinite. */
  async *run(): AsyncGenerator<TrainingEvent, void> {
    while (!this.isDone) {
      const epoch = this.epochsDone + 1;
      const order = shuffled(this.#split.train, this.#config.seed, epoch);
      while (this.#progress.epochImages < order.length) yield await this.#step(order);
      yield await this.#endEpoch(epoch);
    }
  }

  /** Returns the weights, optimiser state and progress. @throws DivergedError if any number is NaN or infinite. */
  async checkpoint(): Promise<Checkpoint> {
    const tensors = new Map<string, NamedTensor>();
    for (const [name, tensor] of this.#updater.tensors) {
      const values = Float32Array.from(await this.#model.graph.backend.read(tensor));
      tensors.set(name, { shape: tensor.shape, values });
    }
    const [damaged] = notFinite(tensors);
    if (damaged !== undefined) {
      const what = `'${damaged}' holds a number that is NaN or infinite after step ${this.#progress.step}`;
      throw new DivergedError(message`training diverged: ${what}; ${ADVICE}`);
    }
    return { progress: this.#progress, times: this.#times, tensors };
  }

  /** Restores a checkpoint of the same configuration. @param origin of the checkpoint, for error messages.
   *  @throws UserError if a tensor is missing, unknown or of another shape, or if the progress is not one of this
   *  configuration on these images. */
  restore({ progress, times, tensors }: Checkpoint, origin = 'the checkpoint'): void {
    const contradiction = contradictionIn(progress, this.#config, this.#split.train.length);
    if (contradiction !== undefined) throw misfit(contradiction, origin);
    const wanted = this.#updater.tensors;
    writeTensors(this.#model.graph.backend, wanted, tensors, origin);
    const names = wanted.map(([name]) => name);
    const unknown = [...tensors.keys()].find((name) => !names.includes(name));
    if (unknown !== undefined) throw misfit(`it has a tensor '${unknown}', wanted only ${names.join(', ')}`, origin);
    this.#progress = progress;
    this.#times = times;
  }

  /** One step: the next batch forward and backward, with every gradient turned into an in-place update. */
  async #step(order: Uint32Array): Promise<TrainingEvent> {
    const started = performance.now();
    const { step, epochImages } = this.#progress;
    const { graph, logits, labels, loss } = this.#model;
    const { seed, batchSize } = this.#config;
    const learningRate = this.#learningRateAt(step);

    const indices = order.subarray(epochImages, epochImages + batchSize);
    loadBatch(this.#model, this.#images, augmentedBatch(indices, { ...this.#config, step }));
    graph.forward({ training: true, key: new Random(seed, 'dropout', step).uint32() });
    graph.backend.countCorrect(logits.tensor, labels.tensor, this.#correct);
    const meanLoss = (await graph.backend.read(loss.tensor))[0];
    if (!Number.isFinite(meanLoss)) {
      throw diverged(meanLoss, { step: step + 1, epoch: this.epochsDone + 1, learningRate });
    }
    const isSampled = (step + 1) % samplingInterval(this.#steps, batchSize) === 0;
    if (isSampled) await this.#meter.begin();
    graph.backward(loss, this.#updater.begin(step + 1, learningRate));
    this.#updater.end();
    const updateRatios = isSampled ? await this.#meter.end() : null;
    const correct = (await graph.backend.read(this.#correct))[0];

    this.#advance(indices.length, meanLoss, correct, (performance.now() - started) / 1000);
    await yieldToEventLoop();
    const [progress, times, accuracy] = [this.#progress, this.#times, correct / indices.length];
    return { type: 'step', progress, times, loss: meanLoss, accuracy, learningRate, updateRatios };
  }

  /** Number of steps in the whole run, unless it stops early. */
  get #steps(): number {
    return this.#config.epochs * this.stepsPerEpoch;
  }

  /** @param step counted from 0. */
  #learningRateAt(step: number): number {
    const { step: start, epochs } = this.#schedules.findLast((span) => span.step <= step)!;
    return learningRateAt(step - start, epochs * this.stepsPerEpoch - start, this.#config);
  }

  #advance(images: number, meanLoss: number, correct: number, seconds: number): void {
    const { epochTraining, training, all } = this.#times;
    this.#times = { epochTraining: epochTraining + seconds, training: training + seconds, all: all + seconds };
    const now = this.#progress;
    this.#progress = {
      ...now,
      step: now.step + 1,
      epochImages: now.epochImages + images,
      epochLoss: now.epochLoss + meanLoss * images,
      epochCorrect: now.epochCorrect + correct,
      trainedImages: now.trainedImages + images,
    };
  }

  async #endEpoch(epoch: number): Promise<TrainingEvent> {
    const started = performance.now();
    const now = this.#progress;
    const { validation: heldOut } = this.#split;
    const validation = heldOut.length > 0 ? await evaluate(this.#model, this.#images, heldOut) : null;
    const seconds = (performance.now() - started) / 1000;
    const learningRate = this.#learningRateAt(now.step - 1);
    if (validation && !Number.isFinite(validation.loss)) {
      throw diverged(validation.loss, { step: now.step, epoch, learningRate });
    }
    const result: EpochResult = {
      epoch,
      step: now.step,
      train: { loss: now.epochLoss / now.epochImages, accuracy: now.epochCorrect / now.epochImages },
      validation,
      learningRate,
    };
    const isBest = isBetter(result, now.best);
    const { step, trainedImages } = now;
    this.#progress = { ...INITIAL_PROGRESS, step, trainedImages, lastEpoch: result, best: isBest ? result : now.best };
    const { epochTraining, training, all } = this.#times;
    this.#times = { epochTraining: 0, training, all: all + seconds };
    const metrics = {
      ...result,
      imagesPerSecond: now.epochImages / epochTraining,
      seconds: epochTraining + seconds,
    };
    return { type: 'epoch-ended', metrics, isBest };
  }
}

/** Whether a run is complete: all epochs are done, or validation has not improved for `earlyStop` epochs of its last schedule. */
export function isDone(
  { best, lastEpoch }: Progress,
  { epochs, earlyStop }: Pick<Config, 'epochs' | 'earlyStop'>,
  schedules: Schedules = wholeSchedule({ epochs }),
): boolean {
  if (!lastEpoch) return false;
  const begun = Math.floor((schedules.at(-1)!.step * lastEpoch.epoch) / lastEpoch.step);
  const stopsEarly = earlyStop !== null && best !== null && lastEpoch.epoch - Math.max(best.epoch, begun) >= earlyStop;
  return lastEpoch.epoch >= epochs || stopsEarly;
}

function isBetter(metrics: EpochResult, best: EpochResult | null): boolean {
  if (!metrics.validation) return false;
  if (!best?.validation) return true;
  const gain = metrics.validation.accuracy - best.validation.accuracy;
  return gain > 0 || (gain === 0 && metrics.validation.loss < best.validation.loss);
}

const ADVICE = message`try a smaller ${field('lr')}, or a smaller ${field('weightDecay')}`;

/** Returns the error for a loss that is NaN or infinite. */
export function diverged(
  loss: number,
  { step, epoch, learningRate }: Pick<EpochResult, 'step' | 'epoch' | 'learningRate'>,
): DivergedError {
  return new DivergedError(
    message`training diverged: the loss is ${loss} at step ${step} (epoch ${epoch}), at a learning rate of ${learningRate}; ${ADVICE}`,
  );
}
