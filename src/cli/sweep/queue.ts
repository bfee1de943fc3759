import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Backend } from '../../backends/backend.ts';
import { fusesProducts } from '../../backends/select.ts';
import type { Dataset } from '../../dataset/load.ts';
import { UsageError } from '../../errors.ts';
import { VERSION } from '../../runs/environment.ts';
import type { Connection } from '../../sweep/queue/connection.ts';
import type { QueueExecutor } from '../../sweep/queue/executor.ts';
import type { Conditions } from '../../sweep/queue/protocol.ts';
import type { Sweep } from '../../sweep/sweep.ts';
import type { Io } from '../terminal/io.ts';
import type { SweepDisplay } from './display.ts';
import type { SweepOptions } from './options.ts';

/** Connects to the queue that the options or the environment name; undefined if they name none.
 *  @throws UserError as `connect` does. */
export async function openQueue(
  options: Pick<SweepOptions, 'queue' | 'workers' | 'checkpoints'>,
  io: Io,
): Promise<Connection | undefined> {
  const url = options.queue ?? (io.env.NN_TRAIN_QUEUE || undefined);
  if (url === undefined) {
    if (options.checkpoints === undefined) return undefined;
    throw new UsageError(
      '--checkpoints is for a sweep with a queue; without one, checkpoints are in the folder of the sweep, so leave it out',
    );
  }
  if (options.workers !== undefined) {
    throw new UsageError(
      '--workers trains here, but a sweep with a queue leaves training to its workers; leave --workers out, and give it to nn-train worker',
    );
  }
  return connectTo(url);
}

export async function connectTo(url: string): Promise<Connection> {
  // Command lines can be read by all users of a machine.
  if (/@/.test(url)) process.title = 'nn-train';
  const { connect } = await import('../../sweep/queue/connection.ts');
  return connect(url);
}

/** What the bits of a result depend on, here. */
export function conditionsOf(backend: Backend, { sha256, train }: Dataset): Conditions {
  return { version: VERSION, sha256, backend: backend.name, fma: fusesProducts(backend.share([train])) };
}

/** The folder of checkpoints that several machines share. Those of other images or versions are of no use here, so each has a folder
 *  of its own in it. @throws UsageError */
export function sharedFolder(given: string | undefined, { sha256, version }: Conditions): string | undefined {
  if (given === '') throw new UsageError('--checkpoints must name a folder, got an empty string');
  if (given === undefined) return undefined;
  return path.join(given, createHash('sha256').update(`${version} ${sha256}`).digest('hex').slice(0, 12));
}

interface QueueContext {
  readonly sweep: Sweep;
  readonly dataset: Dataset;
  readonly backend: Backend;
  readonly display: SweepDisplay;
}

/** Lets the workers of a queue run the trials of a sweep. */
export async function startQueueExecutor(
  connection: Connection,
  { sweep, dataset, backend, display }: QueueContext,
): Promise<QueueExecutor> {
  const [{ QueueExecutor }, { sweepId }] = await Promise.all([
    import('../../sweep/queue/executor.ts'),
    import('../../sweep/queue/protocol.ts'),
  ]);
  return new QueueExecutor({
    connection,
    sweep: sweepId(sweep.state.sweep, sweep.folder),
    conditions: conditionsOf(backend, dataset),
    plan: sweep.state.plan,
    onProgress: display.progress,
    onWorkers: display.workers,
    onNote: display.note,
  });
}
