import { hostname } from 'node:os';
import path from 'node:path';
import type { Backend } from '../../backends/backend.ts';
import { effectiveConfig } from '../../config/resolve.ts';
import type { Dataset } from '../../dataset/load.ts';
import { UserError } from '../../errors.ts';
import { fileError, remove } from '../../files.ts';
import { imageCounts } from '../../images.ts';
import { describeEnvironment } from '../../runs/environment.ts';
import { RunDirectory } from '../../runs/run-directory.ts';
import { evaluate, type Metrics } from '../../training/evaluate.ts';
import type { Executor } from '../executor.ts';
import type { ResultLine } from '../journal/lines.ts';
import { disagreement } from '../plan/outcomes.ts';
import type { Trial } from '../plan/plan.ts';
import { rankingOf } from '../plan/ranking.ts';
import type { Sweep } from '../sweep.ts';
import type { Checkpoints } from './checkpoints.ts';
import { trainingsOf } from './leftovers.ts';
import { Training } from './run-job.ts';

/** Folder of the winner's run in that of the sweep. */
const WINNER = 'winner';

interface EndOptions {
  readonly dataset: Dataset;
  readonly backend: Backend;
  /** Where the winner's checkpoint may be found. */
  readonly checkpoints: Checkpoints;
  readonly signal: AbortSignal;
  readonly executor: Executor;
}

/** Ends a sweep whose plan is done: tests the winner, the only time that the test images are read, and writes the ranking. The
 *  sweep stays unfinished if the signal is aborted first.
 *  @throws FileError if the winner or the journal cannot be saved. */
export async function endSweep(sweep: Sweep, options: EndOptions): Promise<void> {
  const { plan } = sweep.state;
  const ranking = rankingOf(plan);
  const best = ranking.find(({ mean }) => mean !== null);
  const winner = best ? plan.trials[best.trial] : undefined;
  let test: Metrics | null = null;
  if (winner) {
    try {
      test = await saveWinner(winner, best!.rung, sweep, options);
    } catch (error) {
      if (options.signal.aborted && error === options.signal.reason) return;
      throw error;
    }
  }
  await sweep.write({ type: 'ended', trials: plan.total, ranking, winner: winner?.number ?? null, test });
  await sweep.checkpoints.removeAll();
  options.executor.discard?.(trainingsOf(plan));
}

/** Saves the winner as a run, trained again if there is no checkpoint of it, and evaluates it on the test images. Weights do not
 *  travel through a queue, so the winner of a sweep over many machines is trained once more here; that this gives the same bits
 *  also checks the machine that they came from.
 *  @throws UserError if the weights differ from those in the journal; FileError if they cannot be saved; the signal's reason, once
 *  it is aborted. */
async function saveWinner(
  winner: Trial,
  rung: number,
  { state, folder }: Sweep,
  options: EndOptions,
): Promise<Metrics> {
  const { dataset, backend, checkpoints, signal } = options;
  const worker = `${hostname()}, process ${process.pid}`;
  const job = state.plan.jobOf(winner, rung);
  const training = await Training.begin(job, { backend, images: dataset.train, checkpoints, worker, signal });
  const weights = await training.run();
  const result = state.plan.outcomeOf(winner, rung) as ResultLine & { readonly status: 'finished' };
  if (weights !== result.weights) {
    throw new UserError(disagreement(winner.number, result.epochs, [result.worker, worker]));
  }
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
