import path from 'node:path';
import type { Backend } from '../../backends/backend.ts';
import { effectiveConfig } from '../../config/resolve.ts';
import type { Dataset } from '../../dataset/load.ts';
import { fileError, remove } from '../../files.ts';
import { imageCounts } from '../../images.ts';
import { describeEnvironment } from '../../runs/environment.ts';
import { RunDirectory } from '../../runs/run-directory.ts';
import { evaluate, type Metrics } from '../../training/evaluate.ts';
import type { Job } from '../plan/job.ts';
import { rankingOf } from '../plan/ranking.ts';
import type { Sweep } from '../sweep.ts';
import type { Checkpoints } from './checkpoints.ts';
import { Training } from './run-job.ts';

/** Folder of the winner's run in that of the sweep. */
const WINNER = 'winner';

interface WinnerOptions {
  /** Folder of the sweep. */
  readonly folder: string;
  readonly dataset: Dataset;
  readonly backend: Backend;
  readonly checkpoints: Checkpoints;
  readonly signal: AbortSignal;
}

/** Ends a sweep whose plan is done: tests the winner, the only time that the test images are read, and writes the ranking. The
 *  sweep stays unfinished if the signal is aborted first.
 *  @throws FileError if the winner or the journal cannot be saved. */
export async function endSweep(sweep: Sweep, options: Omit<WinnerOptions, 'folder' | 'checkpoints'>): Promise<void> {
  const { plan } = sweep.state;
  const ranking = rankingOf(plan);
  const best = ranking.find(({ mean }) => mean !== null);
  const winner = best ? plan.trials[best.trial] : undefined;
  let test: Metrics | null = null;
  if (winner) {
    const job = plan.jobOf(winner, best!.rung);
    try {
      test = await saveWinner(job, { ...options, folder: sweep.folder, checkpoints: sweep.checkpoints });
    } catch (error) {
      if (options.signal.aborted && error === options.signal.reason) return;
      throw error;
    }
  }
  await sweep.write({ type: 'ended', trials: plan.total, ranking, winner: winner?.number ?? null, test });
  await sweep.checkpoints.removeAll();
}

/** Saves the winner as a run, trained again if it has no checkpoint, and evaluates it on the test images.
 *  @throws FileError if it cannot be saved; the signal's reason, once it is aborted. */
async function saveWinner(job: Job, options: WinnerOptions): Promise<Metrics> {
  const { folder, dataset, backend, checkpoints, signal } = options;
  const training = await Training.begin(job, {
    backend,
    images: dataset.train,
    checkpoints,
    worker: 'this process',
    signal,
  });
  await training.run();
  const test = await evaluate(training.model, dataset.test, undefined, signal);
  const target = path.join(folder, WINNER);
  await remove(target).catch((error) => Promise.reject(fileError(`cannot replace ${target}`, error)));
  const { name, source, sha256 } = dataset;
  const record = {
    config: effectiveConfig(job.config),
    dataset: { name, source, sha256, images: imageCounts(dataset) },
    environment: describeEnvironment(backend),
  };
  const checkpoint = await training.trainer.checkpoint();
  const run = await RunDirectory.create(target, record, checkpoint);
  for (const metrics of training.epochs) await run.appendMetrics({ dataset: name, ...metrics });
  const { best, lastEpoch } = checkpoint.progress;
  if (best?.epoch === lastEpoch?.epoch) await run.save(checkpoint, true);
  if (training.trainer.isDone) await run.saveOutcome({ status: 'finished', step: checkpoint.progress.step, test });
  backend.reset();
  return test;
}
