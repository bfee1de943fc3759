import type { Backend } from '../../backends/backend.ts';
import { effectiveConfig } from '../../config/resolve.ts';
import { DivergedError, UserError } from '../../errors.ts';
import type { ImageSet } from '../../images.ts';
import { initialise } from '../../models/initialise.ts';
import { buildModel, type Model } from '../../models/model.ts';
import { splitTrainingSet } from '../../training/batches.ts';
import type { EpochMetrics } from '../../training/progress.ts';
import { Trainer } from '../../training/trainer.ts';
import type { ResultLine } from '../journal/lines.ts';
import type { Job } from '../plan/job.ts';
import { disagreement } from '../plan/outcomes.ts';
import { type Checkpoints, type TrialCheckpoint, trainingName, weightsHash } from './checkpoints.ts';

/** Maximum age of the last checkpoint. */
const CHECKPOINT_INTERVAL_MS = 60_000;

/** What a training needs, besides its job. */
export interface Workplace {
  /** A backend of the configuration's precision. */
  readonly backend: Backend;
  readonly images: ImageSet;
  readonly checkpoints: Checkpoints;
  /** Who computes, as the journal names it. */
  readonly worker: string;
  /** Stops the training after the current step, with a checkpoint. */
  readonly signal: AbortSignal;
  /** Called after steps, with the epochs done, a fraction included. */
  onProgress?(epochs: number): void;
}

/** Trains a job from its last checkpoint, or else from the start, to the same bits.
 *  @throws UserError if its weights differ from those of an earlier rung, and what `Trainer` throws but for DivergedError, which is
 *  a result; the signal's reason once it is aborted. */
export async function runJob(job: Job, workplace: Workplace): Promise<ResultLine> {
  const training = await Training.begin(job, workplace);
  const line = {
    type: 'result',
    trial: job.trial,
    rung: job.rung,
    seed: job.seed,
    config: effectiveConfig(job.config) as ResultLine['config'],
  } as const;
  const startSeconds = training.trainer.times.all;
  const ending = () => ({
    epochs: training.trainer.epochsDone,
    curve: curveOf(training.epochs, job),
    seconds: training.trainer.times.all - startSeconds,
    worker: workplace.worker,
  });
  try {
    const weights = await training.run();
    const { train, validation } = training.epochs.at(-1)!;
    return { ...line, status: 'finished', train, validation: validation!, ...ending(), weights };
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    await workplace.checkpoints.remove([trainingName(job.config)]);
    return { ...line, status: 'diverged', message: error.message, ...ending() };
  }
}

/** The training of a job. */
export class Training {
  readonly model: Model;
  readonly trainer: Trainer;
  readonly epochs: EpochMetrics[];
  readonly #job: Job;
  readonly #workplace: Workplace;
  readonly #images: number;
  #savedAt = performance.now();

  private constructor(job: Job, workplace: Workplace) {
    const { config } = job;
    const { backend, images } = workplace;
    const split = splitTrainingSet(images.labels.length, config.val, config.trainLimit);
    this.#job = job;
    this.#workplace = workplace;
    this.#images = split.train.length;
    this.model = buildModel(backend, config, Math.min(config.batchSize, split.train.length));
    this.trainer = new Trainer(this.model, images, split, config);
    this.epochs = [];
  }

  /** @param mayResume whether to look for a checkpoint. */
  static async begin(job: Job, workplace: Workplace, mayResume = true): Promise<Training> {
    const training = new Training(job, workplace);
    const found = mayResume ? await workplace.checkpoints.load(job.config) : undefined;
    // One that is ahead of the job is of no use: the journal has lost a line.
    const isUsable = found !== undefined && found.epochs.length <= job.epochs;
    if (!isUsable) initialise(training.model, job.config);
    else if (!training.#resume(found)) return Training.begin(job, workplace, false);
    return training;
  }

  /** Trains to the end of the job, and returns the hash of the weights there. */
  async run(): Promise<string> {
    const { trainer, epochs } = this;
    const { signal, onProgress } = this.#workplace;
    if (!this.#isOver) {
      for await (const event of trainer.run()) {
        if (event.type === 'step') {
          onProgress?.(trainer.epochsDone + event.progress.epochImages / this.#images);
          if (performance.now() - this.#savedAt > CHECKPOINT_INTERVAL_MS) await this.#save();
        } else {
          epochs.push(event.metrics);
          await this.#expectSameAsBefore();
          if (this.#isOver) break;
        }
        if (signal.aborted) {
          await this.#save();
          throw signal.reason;
        }
      }
    }
    return weightsHash(await this.#save());
  }

  get #isOver(): boolean {
    return this.trainer.isDone || this.trainer.epochsDone >= this.#job.epochs;
  }

  /** Whether the checkpoint could be restored. If not, the trainer cannot be used. */
  #resume({ checkpoint, epochs }: TrialCheckpoint): boolean {
    try {
      this.trainer.restore(checkpoint);
      this.epochs.push(...epochs);
      return true;
    } catch (error) {
      if (error instanceof UserError) return false;
      throw error;
    }
  }

  async #save() {
    const checkpoint = await this.trainer.checkpoint();
    await this.#workplace.checkpoints.save(this.#job.config, { checkpoint, epochs: this.epochs });
    this.#savedAt = performance.now();
    return checkpoint;
  }

  /** Checks a training that had to begin again against what earlier rungs gave. */
  async #expectSameAsBefore(): Promise<void> {
    const { passed, trial } = this.#job;
    const before = passed.find(({ epochs }) => epochs === this.trainer.epochsDone);
    if (!before || before.weights === weightsHash(await this.trainer.checkpoint())) return;
    throw new UserError(disagreement(trial, before.epochs, [before.worker, this.#workplace.worker]));
  }
}

/** The epochs of a job's rung: those after the last one that it passed. */
function curveOf(epochs: readonly EpochMetrics[], { passed }: Job): ResultLine['curve'] {
  const first = passed.at(-1)?.epochs ?? 0;
  return epochs
    .filter(({ epoch }) => epoch > first)
    .map(({ epoch, train, validation }) => ({ epoch, train, validation }));
}
