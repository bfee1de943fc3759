import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { UsageError } from '../../errors.ts';
import { removeQuietly } from '../../files.ts';
import type { Connection } from '../../sweep/queue/connection.ts';
import { Heartbeat } from '../../sweep/queue/heartbeat.ts';
import type { Conditions } from '../../sweep/queue/protocol.ts';
import { QueueWorker } from '../../sweep/queue/worker.ts';
import { splitTrainingSet } from '../../training/batches.ts';
import { openBackend } from '../inputs/backend.ts';
import { load } from '../inputs/images.ts';
import { parseOption } from '../inputs/option.ts';
import * as format from '../terminal/format.ts';
import { exitCodeOf, interruptible } from '../terminal/interrupt.ts';
import type { Io } from '../terminal/io.ts';
import { readExecution, startExecutor } from './executor.ts';
import { WORKER_DATASET, type WorkerOptions } from './options.ts';
import { conditionsOf, connectTo } from './queue.ts';

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
  const backend = await openBackend(io, flags, 'int16');
  const dataset = await load(io, { ...options, choice, path: data, signal, backend });
  const conditions = conditionsOf(backend, dataset);
  const { folder, remove } = openFolder(options.checkpoints, conditions);
  const worker = `${hostname()}, process ${process.pid}`;
  let heartbeat: Heartbeat | undefined;
  const executor = await startExecutor({
    folder,
    dataset,
    backend,
    execution,
    io,
    onProgress: (job, epochs) => heartbeat?.progress(job, epochs),
  });
  const { capacity } = executor;
  heartbeat = new Heartbeat(connection.redis, { worker, capacity }, ({ config }) => {
    return splitTrainingSet(dataset.train.labels.length, config.val, config.trainLimit).train.length;
  });
  const say = (text: string) => {
    if (!options.quiet) io.stdout.write(`${text}\n`);
  };
  say(`${worker}: ${format.plural(capacity, 'trial')} at the same time, of ${connection.shown}`);
  try {
    await new QueueWorker({
      connection,
      executor,
      conditions,
      heartbeat,
      onEnded: ({ trial, epochs }, outcome) => {
        const what = outcome.type === 'failed' ? `failed: ${outcome.error.split('\n')[0]}` : outcome.status;
        say(`trial ${trial}, epoch ${epochs}: ${what}`);
      },
    }).run(signal);
  } finally {
    await executor.close();
    await remove();
    backend.close();
  }
  return exitCodeOf(signal);
}

/** The folder of the checkpoints. Those of other images or versions are of no use here, so each has a folder of its own. */
function openFolder(given: string | undefined, { sha256, version }: Conditions) {
  if (given === '') throw new UsageError('--checkpoints must name a folder, got an empty string');
  if (given !== undefined) {
    const name = createHash('sha256').update(`${version} ${sha256}`).digest('hex').slice(0, 12);
    return { folder: path.join(given, name), remove: async () => {} };
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'nn-train-worker-'));
  return { folder, remove: () => removeQuietly(folder) };
}
