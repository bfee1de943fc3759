import type { Dataset } from '../dataset/load.ts';
import type { FolderLock } from '../lock/folder-lock.ts';
import { type StepRecord, type TrainingEvent, toStepRecord } from '../training/progress.ts';
import type { Trainer } from '../training/trainer.ts';
import type { Outcome } from './decode.ts';
import type { RunDirectory } from './run-directory.ts';

/** Maximum age of the last checkpoint during an epoch. */
const CHECKPOINT_INTERVAL_MS = 60_000;

/** What a saver saves, and where. */
interface Saved {
  readonly run: RunDirectory;
  readonly lock: FolderLock;
  readonly trainer: Trainer;
  readonly dataset: Dataset['name'];
}

/** Saves a run to its directory: first the lines of steps and epochs, then the checkpoint they belong to. */
export class Saver {
  readonly #saved: Saved;
  /** Not yet in steps.jsonl. */
  #steps: StepRecord[] = [];
  #savedAt = performance.now();

  constructor(saved: Saved) {
    this.#saved = saved;
  }

  /** @throws FileError if the run cannot be saved; UserError if another process has taken it over. */
  async onEvent(event: TrainingEvent): Promise<void> {
    if (event.type === 'epoch-ended') {
      await this.save(event);
      return;
    }
    this.#steps.push(toStepRecord(event));
    if (performance.now() - this.#savedAt > CHECKPOINT_INTERVAL_MS) await this.save();
  }

  /** Records how the run ended. @throws as `onEvent` does. */
  async saveOutcome(outcome: Outcome): Promise<void> {
    const { run, lock } = this.#saved;
    lock.expectHeld();
    await run.saveOutcome(outcome);
  }

  /** @param epoch that has just ended, if any. @throws as `onEvent` does. */
  async save(epoch?: Extract<TrainingEvent, { type: 'epoch-ended' }>): Promise<void> {
    const { run, lock, trainer, dataset } = this.#saved;
    lock.expectHeld();
    if (epoch) await run.appendMetrics({ dataset, ...epoch.metrics });
    if (this.#steps.length > 0) await run.appendSteps(this.#steps);
    this.#steps = [];
    await run.save(await trainer.checkpoint(), epoch?.isBest);
    this.#savedAt = performance.now();
  }
}
