import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { type Shape, sizeOf } from '../backends/backend.ts';
import type { Config } from '../config/config.ts';
import { parseJson } from '../documents/json.ts';
import { UsageError, UserError } from '../errors.ts';
import { fileError, remove, removeQuietly, writeFileAtomic } from '../files.ts';
import { integer } from '../format.ts';
import { field, message } from '../message.ts';
import { readRegularFile, readStart } from '../read-file.ts';
import type { Checkpoint, EpochMetrics, Progress, Schedules, StepRecord, Times } from '../training/progress.ts';
import { encodeSafetensors } from '../weights/safetensors.ts';
import { createRunFolder } from './create-run-folder.ts';
import type { Outcome } from './decode.ts';
import { CONFIG, findRun, LAST } from './find-run.ts';
import { appendJsonLines, filterJsonLines, readJsonLines } from './json-lines.ts';

/** Which weights of a run: of the last checkpoint, or of the epoch with the best validation accuracy. */
export type Weights = 'last' | 'best';

const METRICS = 'metrics.jsonl';
const STEPS = 'steps.jsonl';
const TIMES = 'times.json';
const RESULT = 'result.json';
const PROGRESS = 'progress';
/** The most that Node reads of a file at once. */
export const MAX_CHECKPOINT_BYTES = 2 ** 31 - 1;
/** More than the header of a checkpoint has: the names and shapes of the tensors, and the progress. */
const MAX_HEADER_BYTES = 2 ** 20;
const MAX_SMALL_BYTES = 2 ** 16;
const MAX_CONFIG_BYTES = 2 ** 20;

/** @throws UsageError if checkpoints of these tensors would be too large to be read again. */
export function expectReadable(tensors: readonly { readonly shape: Shape }[]): void {
  const bytes = tensors.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
  const most = MAX_CHECKPOINT_BYTES - MAX_HEADER_BYTES;
  if (bytes <= most) return;
  const [size, limit] = [bytes, most].map((count) => integer(Math.floor(count / 1e6)));
  throw new UsageError(
    message`the weights of this run and the state of its optimizer have ${size} MB, wanted at most ${limit} MB in a checkpoint; use a smaller ${field('hidden')} or a larger ${field('receptiveStride')}, or save nothing`,
  );
}

/** The folder of a run:
 *
 *  - `config.json`: a RunRecord: the hyperparameters that have an effect, the dataset with its hash, the environment
 *  - `metrics.jsonl`: one EpochMetrics per line, with the name of the dataset
 *  - `steps.jsonl`: one StepRecord per line; missing in runs of earlier versions
 *  - `last.safetensors`: parameters and optimiser state at the last checkpoint; the Progress as JSON in its metadata
 *  - `best.safetensors`: the same at the end of the best epoch; missing until an epoch with validation has ended
 *  - `times.json`: the Times at the last checkpoint
 *  - `result.json`: an Outcome, once the run has finished or diverged; missing in runs of earlier versions
 *  - `report.html`: written by the command line from the files above
 *
 *  Two runs with the same config.json have identical files, except for metrics.jsonl, times.json and report.html,
 *  which contain measured times.
 *
 *  Saving a checkpoint first appends its lines to the .jsonl files, then replaces best.safetensors (after a new best
 *  epoch), times.json and last.safetensors, in this order, each of them atomically. So a run killed at any moment can
 *  be resumed from last.safetensors: these files may be ahead of it, but never behind. */
export class RunDirectory {
  readonly path: string;

  private constructor(folder: string) {
    this.path = folder;
  }

  /** Creates the folder of a new run with its first checkpoint, completely or not at all; config.json comes last.
   *  @param config contents of config.json.
   *  @throws UsageError if something other than an empty folder is already there; FileError if the folder cannot be
   *  written. */
  static async create(folder: string, config: object, start: Checkpoint): Promise<RunDirectory> {
    await createRunFolder(folder, [METRICS, STEPS, TIMES, LAST, CONFIG], async (place) => {
      await writeFileAtomic(path.join(place, STEPS), '');
      await new RunDirectory(place).save(start);
      await writeFileAtomic(path.join(place, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
    });
    return new RunDirectory(folder);
  }

  /** Opens a saved run. @param given its folder, or a file in it. @throws UsageError if there is no run. */
  static async open(given: string): Promise<RunDirectory> {
    return new RunDirectory(await findRun(given));
  }

  /** Returns the contents of config.json. @throws FileError if it cannot be read or is not valid JSON. */
  async config(): Promise<unknown> {
    const file = path.join(this.path, CONFIG);
    try {
      return await parseJson(await readRegularFile(file, MAX_CONFIG_BYTES));
    } catch (error) {
      throw fileError(`cannot read ${file}`, error);
    }
  }

  /** Saves a checkpoint as the last one and, with `isBest`, also as the best one.
   *  @throws FileError if a file cannot be written; its old content is kept. */
  async save({ progress, times, tensors }: Checkpoint, isBest = false): Promise<void> {
    const content = encodeSafetensors({ tensors, metadata: { [PROGRESS]: JSON.stringify(progress) } });
    if (isBest) await writeFileAtomic(this.#fileOf('best'), content);
    await writeFileAtomic(path.join(this.path, TIMES), `${JSON.stringify(times)}\n`);
    await writeFileAtomic(this.#fileOf('last'), content);
  }

  /** Loads the last or the best checkpoint; its times are zero if times.json is missing or damaged.
   *  @param config of the run.
   *  @throws UserError if there is no such checkpoint, or if it is damaged or does not fit the configuration; DivergedError if a
   *  weight is NaN or infinite, unless `allowNotFinite`; FileError if it cannot be read. */
  async load(
    weights: Weights,
    config: Config,
    options: { readonly allowNotFinite?: boolean } = {},
  ): Promise<Checkpoint> {
    return (await this.loadHashed(weights, config, options)).checkpoint;
  }

  /** The same with the SHA-256 of the file. */
  async loadHashed(
    weights: Weights,
    config: Config,
    { allowNotFinite = false }: { readonly allowNotFinite?: boolean } = {},
  ): Promise<{ readonly checkpoint: Checkpoint; readonly sha256: string }> {
    const { decodeSafetensors } = await import('../weights/decode.ts');
    const { decodeProgress, expectFinite } = await import('./decode.ts');
    const file = this.#fileOf(weights);
    const bytes = await this.#read(weights);
    const { tensors, metadata } = decodeSafetensors(bytes, file);
    const progress = decodeProgress(metadata[PROGRESS], file, config);
    if (!allowNotFinite) expectFinite(tensors, file);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { checkpoint: { progress, times: await this.times(), tensors }, sha256 };
  }

  /** Returns the progress of the last checkpoint, without reading its tensors. @param config of the run. @throws as `load` does. */
  async progress(config: Config): Promise<Progress> {
    const { readMetadata } = await import('../weights/decode.ts');
    const { decodeProgress } = await import('./decode.ts');
    const file = this.#fileOf('last');
    try {
      const metadata = await readMetadata((count) => readStart(file, count), file);
      return decodeProgress(metadata[PROGRESS], file, config);
    } catch (error) {
      throw fileError(`cannot read ${file}`, error);
    }
  }

  /** Returns the times at the last checkpoint; zero if times.json is missing or damaged. */
  async times(): Promise<Times> {
    const { decodeTimes } = await import('./decode.ts');
    return decodeTimes(await this.#readSmall(TIMES));
  }

  /** Records another number of epochs, and the schedules that lead there; how the run had ended is forgotten first.
   *  @throws FileError if a file cannot be read or written; config.json is then as it was. */
  async saveCourse(epochs: number, schedules: Schedules): Promise<void> {
    const record = (await this.config()) as { readonly config: object };
    await this.removeOutcome();
    const changed = { ...record, config: { ...record.config, epochs }, schedules };
    await writeFileAtomic(path.join(this.path, CONFIG), `${JSON.stringify(changed, null, 2)}\n`);
  }

  /** Records how the run ended. @throws FileError if it cannot be written. */
  async saveOutcome(outcome: Outcome): Promise<void> {
    await writeFileAtomic(path.join(this.path, RESULT), `${JSON.stringify(outcome)}\n`);
  }

  /** Returns how the run ended; undefined if it is not over, if an earlier version has trained it, or if the record is damaged. */
  async outcome(): Promise<Outcome | undefined> {
    const { decodeOutcome } = await import('./decode.ts');
    return decodeOutcome(await this.#readSmall(RESULT));
  }

  /** Removes the record of how the run ended, because it goes on. @throws FileError if it cannot be removed. */
  async removeOutcome(): Promise<void> {
    const file = path.join(this.path, RESULT);
    await remove(file).catch((error) => {
      throw fileError(`cannot remove ${file}`, error);
    });
  }

  /** Contents of a small file; empty if it cannot be read. */
  async #readSmall(name: string): Promise<string> {
    return String(await readRegularFile(path.join(this.path, name), MAX_SMALL_BYTES).catch(() => ''));
  }

  async #read(weights: Weights): Promise<Uint8Array> {
    const file = this.#fileOf(weights);
    try {
      return await readRegularFile(file, MAX_CHECKPOINT_BYTES);
    } catch (error) {
      if (weights === 'best' && (error as NodeJS.ErrnoException).code === 'ENOENT') {
        throw new UserError(
          `${this.path} has no best weights: no epoch has ended, or the run has no validation images`,
        );
      }
      throw fileError(`cannot read ${file}`, error);
    }
  }

  /** Appends a line to metrics.jsonl. @throws FileError if it cannot be written. */
  async appendMetrics(metrics: EpochMetrics & { readonly dataset: string }): Promise<void> {
    await appendJsonLines(path.join(this.path, METRICS), [metrics]);
  }

  /** Appends one line per step to steps.jsonl. @throws FileError if it cannot be written. */
  async appendSteps(steps: readonly StepRecord[]): Promise<void> {
    await appendJsonLines(path.join(this.path, STEPS), steps);
  }

  /** Reads metrics.jsonl, skipping damaged lines. @throws FileError if it cannot be read. */
  async metrics(): Promise<EpochMetrics[]> {
    const { isEpochMetrics } = await import('./decode.ts');
    return (await readJsonLines(path.join(this.path, METRICS))).filter(isEpochMetrics);
  }

  /** Reads steps.jsonl, skipping damaged lines. A missing file counts as empty.
   *  @throws FileError if it cannot be read. */
  async steps(): Promise<StepRecord[]> {
    const { isStepRecord } = await import('./decode.ts');
    return (await readJsonLines(path.join(this.path, STEPS))).filter(isStepRecord);
  }

  /** Removes the temporary files of a save that was killed. */
  async removeLeftovers(): Promise<void> {
    const leftovers = (await readdir(this.path)).filter((name) => name.endsWith('.tmp'));
    for (const name of leftovers) await removeQuietly(path.join(this.path, name));
  }

  /** Drops the records that a killed run wrote after its last checkpoint: lines of epochs after `epoch` and of steps after `step`,
   *  and damaged lines.
   *  @throws FileError if a file cannot be read or written. */
  async rewind(epoch: number, step: number): Promise<void> {
    const { isEpochMetrics, isStepRecord } = await import('./decode.ts');
    await filterJsonLines(path.join(this.path, METRICS), (line) => isEpochMetrics(line) && line.epoch <= epoch);
    await filterJsonLines(path.join(this.path, STEPS), (line) => isStepRecord(line) && line.step <= step);
  }

  #fileOf(weights: Weights): string {
    return path.join(this.path, `${weights}.safetensors`);
  }
}
