import { stat } from 'node:fs/promises';
import path from 'node:path';
import { FolderLock } from '../../lock/folder-lock.ts';
import type { Metrics } from '../../training/evaluate.ts';
import type { Progress } from '../../training/progress.ts';
import { isDone } from '../../training/trainer.ts';
import { LAST } from '../find-run.ts';
import { type RecordedRun, readRun } from '../open-run.ts';
import type { RunDirectory } from '../run-directory.ts';

/** What is known of a saved run without its weights and the images. */
export interface RunSummary extends RecordedRun {
  /** `stopped`: interrupted, failed or killed; it can be resumed. */
  readonly status: 'finished' | 'diverged' | 'stopped' | 'training';
  /** At the last checkpoint. */
  readonly progress: Progress;
  /** On the test images, with the last weights; null if the run has not finished, or if an earlier version has trained it. */
  readonly test: Metrics | null;
  /** Duration of the training and the validation. */
  readonly seconds: number;
  /** Time of the last checkpoint. */
  readonly saved: Date;
}

/** Reads what is known of a saved run. @param folder of the run, or a file in it.
 *  @throws UsageError if there is no run; FileError or UserError if a file cannot be read or is damaged. */
export async function summarise(folder: string): Promise<RunSummary> {
  const { directory, record } = await readRun(folder);
  const progress = await directory.progress(record.config);
  const outcome = await directory.outcome();
  const isFinished = isDone(progress, record.config, record.schedules);
  const isTested = isFinished && outcome?.status === 'finished' && outcome.step === progress.step;
  return {
    directory,
    record,
    status: outcome?.status === 'diverged' ? 'diverged' : isFinished ? 'finished' : statusOfUnfinished(directory),
    progress,
    test: isTested ? outcome.test : null,
    seconds: (await directory.times()).all,
    saved: (await stat(path.join(directory.path, LAST))).mtime,
  };
}

function statusOfUnfinished({ path }: RunDirectory): 'stopped' | 'training' {
  return FolderLock.isTaken(path) ? 'training' : 'stopped';
}
