import { hostname } from 'node:os';
import { UsageError } from '../../errors.ts';
import { openTemporaryFolder } from '../../lock/temporary-folder.ts';
import type { Failure, OnProgress } from '../../sweep/executor.ts';
import type { ResultLine } from '../../sweep/journal/lines.ts';
import type { Job } from '../../sweep/plan/job.ts';
import { Cleaner } from '../../sweep/queue/cleaner.ts';
import type { Connection } from '../../sweep/queue/connection.ts';
import { Heartbeat } from '../../sweep/queue/heartbeat.ts';
import { QueueWorker } from '../../sweep/queue/worker.ts';
import { Checkpoints } from '../../sweep/trial/checkpoints.ts';
import { splitTrainingSet } from '../../training/batches.ts';
import { openBackend } from '../inputs/backend.ts';
import { load } from '../inputs/images.ts';
import { parseOption } from '../inputs/option.ts';
import * as format from '../terminal/format.ts';
import { exitCodeOf, interruptible } from '../terminal/interrupt.ts';
import type { Io } from '../terminal/io.ts';
import { readExecution, startExecutor } from './executor.ts';
import { WORKER_DATASET, type WorkerOptions } from './options.ts';
import { conditionsOf, connectTo, sharedFolder } from './queue.ts';

/** `nn-train worker`. Resolves to the exit code. */
export async function runWorker(options: WorkerOptions, io: Io): Promise<number> {
  const url = options.queue ?? (io.env.NN_TRAIN_QUEUE || undefined);
  if (url === undefined)
    throw new UsageError('a worker needs a queue; add --queue redis://HOST, or set NN_TRAIN_QUEUE');
  const choice = parseOption('--dataset', options.dataset, WORKER_DATASET);
  return interruptible(io, async (signal) => {
    const connection = await connectTo(url);
    try {
      return await work(connection, { ...options, choice }, { io, signal });
    } catch (error) {
      if (signal.aborted && error === signal.reason) return exitCodeOf(signal);
      throw error;
    } finally {
      connection.close();
    }
  });
}

interface Session {
  readonly io: Io;
  readonly signal: AbortSignal;
}

async function work(
  connection: Connection,
  { choice, data, ...options }: WorkerOptions & { readonly choice: 'cifar10' | 'synthetic' },
  { io, signal }: Session,
): Promise<number> {
  const execution = readExecution(options, io);
  const { threads: _, ...flags } = options;
  const backend = await openBackend(io, flags, 'int8');
  const dataset = await load(io, { ...options, choice, path: data, signal, backend });
  const conditions = conditionsOf(backend, dataset);
  const shared = sharedFolder(options.checkpoints, conditions);
  const { folder, remove } =
    shared === undefined ? await openTemporaryFolder('nn-train-worker-') : { folder: shared, remove: async () => {} };
  const cleaner = new Cleaner(connection.redis, new Checkpoints(folder));
  let heartbeat: Heartbeat | undefined;
  const onProgress: OnProgress = (job, epochs) => heartbeat?.progress(job, epochs);
  const executor = await startExecutor({ folder, dataset, backend, execution, io, onProgress });
  const { capacity } = executor;
  const worker = `${hostname()}, process ${process.pid}`;
  heartbeat = new Heartbeat(connection.redis, { worker, capacity }, ({ config }) => {
    return splitTrainingSet(dataset.train.labels.length, config.val, config.trainLimit).train.length;
  });
  const say = options.quiet ? () => {} : (text: string) => void io.stdout.write(`${text}\n`);
  say(`${worker}: ${format.plural(capacity, 'trial')} at the same time, of ${connection.shown}`);
  try {
    const onEnded = (job: Job, outcome: ResultLine | Failure) => say(endOf(job, outcome));
    await new QueueWorker({ connection, executor, conditions, heartbeat, onEnded }).run(signal);
  } finally {
    cleaner.close();
    await executor.close();
    await remove();
    backend.close();
  }
  return exitCodeOf(signal);
}

function endOf({ trial, epochs }: Job, outcome: ResultLine | Failure): string {
  const what = outcome.type === 'failed' ? `failed: ${outcome.error.split('\n')[0]}` : outcome.status;
  return `trial ${trial}, epoch ${epochs}: ${what}`;
}
