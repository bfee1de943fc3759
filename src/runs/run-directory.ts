import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { FileError, UsageError, UserError } from '../errors.ts';
import { fileError, removeQuietly, syncFolder, temporaryName, writeWhole } from '../files.ts';
import {
  type Checkpoint,
  type EpochMetrics,
  isEpochMetrics,
  isStepRecord,
  NO_TIME,
  type Progress,
  type StepRecord,
} from '../training/progress.ts';
import { decodeSafetensors, encodeSafetensors } from '../weights/safetensors.ts';
import { appendJsonLines, keepJsonLines, readJsonLines } from './json-lines.ts';

/** Which weights of a run: those of the last checkpoint, or of the epoch with the best validation accuracy. */
export type Weights = 'last' | 'best';

const CONFIG = 'config.json';
const METRICS = 'metrics.jsonl';
const STEPS = 'steps.jsonl';
const TIMES = 'times.json';
const PROGRESS = 'progress';

/** The folder of a run:
 *
 *  - `config.json`: every hyperparameter, the dataset with its hash, and the environment
 *  - `metrics.jsonl`: one line for each epoch
 *  - `steps.jsonl`: one line for each step; runs of earlier versions have none
 *  - `last.safetensors`: parameters, optimiser state and progress at the last checkpoint
 *  - `best.safetensors`: the same for the best epoch, once there is one
 *  - `times.json`: seconds spent so far, apart from the rest so that equal runs have equal files but for times in the
 *    metrics and in `report.html`, the page that the command line makes of all this
 *
 *  A file is replaced as a whole, or lines are added to its end before the checkpoint that they belong to is written, so
 *  that a run killed at any moment can go on from its last checkpoint. */
export class RunDirectory {
  readonly path: string;

  private constructor(folder: string) {
    this.path = folder;
  }

  /** Makes the folder of a new run with its first checkpoint: all of it, or nothing.
   *  @param config what config.json is to hold.
   *  @throws UsageError if the folder is there already and not empty; FileError if it cannot be written. */
  static async create(folder: string, config: object, start: Checkpoint): Promise<RunDirectory> {
    const temporary = temporaryName(path.resolve(folder));
    try {
      await mkdir(temporary, { recursive: true });
      const draft = new RunDirectory(temporary);
      await writeWhole(path.join(temporary, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
      await writeWhole(path.join(temporary, METRICS), '');
      await writeWhole(path.join(temporary, STEPS), '');
      await draft.save(start);
      await rename(temporary, path.resolve(folder));
      await syncFolder(path.dirname(path.resolve(folder)));
    } catch (error) {
      await removeQuietly(temporary);
      if (await isOccupied(folder)) throw occupied(folder);
      throw fileError(`cannot make the run directory ${folder}`, error);
    }
    return new RunDirectory(folder);
  }

  /** @throws UsageError if the folder does not hold a run. */
  static async open(folder: string): Promise<RunDirectory> {
    const names = await readdir(folder).catch((error) => {
      throw new UsageError(`${folder} is not a run directory: ${(error as Error).message}`);
    });
    const missing = [CONFIG, 'last.safetensors'].filter((name) => !names.includes(name));
    if (missing.length > 0) {
      throw new UsageError(
        `${folder} is not a run directory: it has no ${missing.join(' and no ')}; ` +
          'give the folder that training named in its last line, such as runs/linear-20261124-091500',
      );
    }
    return new RunDirectory(folder);
  }

  /** What config.json holds. @throws FileError if it cannot be read. */
  async config(): Promise<unknown> {
    const file = path.join(this.path, CONFIG);
    try {
      return JSON.parse(await readFile(file, 'utf8'));
    } catch (error) {
      throw new FileError(`cannot read ${file}: ${(error as Error).message}`, undefined, { cause: error });
    }
  }

  /** Writes a checkpoint as the last one and, if it is that, as the best one.
   *  @throws FileError if a file cannot be written; the earlier one is kept. */
  async save({ progress, times, tensors }: Checkpoint, isBest = false): Promise<void> {
    const content = encodeSafetensors({ tensors, metadata: { [PROGRESS]: JSON.stringify(progress) } });
    if (isBest) await writeWhole(this.#fileOf('best'), content);
    await writeWhole(path.join(this.path, TIMES), `${JSON.stringify(times)}\n`);
    await writeWhole(this.#fileOf('last'), content);
  }

  /** @throws UserError if there is no such file, or if it is damaged. */
  async load(weights: Weights): Promise<Checkpoint> {
    const file = this.#fileOf(weights);
    const content = await readFile(file).catch((error) => {
      if (weights === 'best' && error.code === 'ENOENT') {
        throw new UserError(`${this.path} has no best weights: no epoch has ended, or it has no validation images`);
      }
      throw fileError(`cannot read ${file}`, error);
    });
    const { tensors, metadata } = decodeSafetensors(content, file);
    const progress = parseOr<Progress | undefined>(metadata[PROGRESS], undefined);
    if (!progress) throw new UserError(`${file} was not written by nn-train: it says nothing of the progress`);
    const times = await readFile(path.join(this.path, TIMES), 'utf8').catch(() => undefined);
    return { progress, times: parseOr(times, NO_TIME), tensors };
  }

  /** Appends one line to metrics.jsonl. @throws FileError if it cannot be written. */
  async appendMetrics(metrics: EpochMetrics & { readonly dataset: string }): Promise<void> {
    await appendJsonLines(path.join(this.path, METRICS), [metrics]);
  }

  /** Appends one line a step to steps.jsonl. @throws FileError if it cannot be written. */
  async appendSteps(steps: readonly StepRecord[]): Promise<void> {
    await appendJsonLines(path.join(this.path, STEPS), steps);
  }

  /** What metrics.jsonl holds; damaged lines are left out. @throws FileError if it cannot be read. */
  async metrics(): Promise<EpochMetrics[]> {
    return (await readJsonLines(path.join(this.path, METRICS))).filter(isEpochMetrics);
  }

  /** What steps.jsonl holds; damaged lines are left out. @throws FileError if it cannot be read. */
  async steps(): Promise<StepRecord[]> {
    return (await readJsonLines(path.join(this.path, STEPS))).filter(isStepRecord);
  }

  /** Removes what a save left that was killed half way. */
  async removeLeftovers(): Promise<void> {
    const leftovers = (await readdir(this.path)).filter((name) => name.endsWith('.tmp'));
    for (const name of leftovers) await removeQuietly(path.join(this.path, name));
  }

  /** Drops the lines of epochs after `epoch` and of steps after `step`, and a last line that was cut short: what a killed
   *  run wrote after its last checkpoint. */
  async rewind(epoch: number, step: number): Promise<void> {
    await keepJsonLines(
      path.join(this.path, METRICS),
      (line) => ((line as Partial<EpochMetrics>)?.epoch ?? Infinity) <= epoch,
    );
    await keepJsonLines(
      path.join(this.path, STEPS),
      (line) => ((line as Partial<StepRecord>)?.step ?? Infinity) <= step,
    );
  }

  #fileOf(weights: Weights): string {
    return path.join(this.path, `${weights}.safetensors`);
  }
}

/** @throws UsageError if a new run cannot be saved there because something is. */
export async function expectFree(folder: string): Promise<void> {
  if (await isOccupied(folder)) throw occupied(folder);
}

async function isOccupied(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length > 0;
  } catch {
    return existsSync(folder);
  }
}

function occupied(folder: string): UsageError {
  return new UsageError(
    `${folder} is there already and is kept; choose another folder with --out, or go on with --resume ${folder}`,
  );
}

/** What a JSON text holds, or `otherwise` if it is missing or torn. */
function parseOr<T>(text: string | undefined, otherwise: T): T {
  try {
    return text === undefined ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}
