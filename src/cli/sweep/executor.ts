import { hostname } from 'node:os';
import type { Backend, Precision } from '../../backends/backend.ts';
import { createBackend } from '../../backends/select.ts';
import { availableCores } from '../../backends/wasm/node/cores.ts';
import type { Dataset } from '../../dataset/load.ts';
import type { Executor, OnProgress } from '../../sweep/executor.ts';
import { InlineExecutor } from '../../sweep/local/inline.ts';
import { ThreadExecutor } from '../../sweep/local/threads.ts';
import { Checkpoints } from '../../sweep/trial/checkpoints.ts';
import { readThreads } from '../inputs/backend.ts';
import { parseOption } from '../inputs/option.ts';
import { type Io, printNote } from '../terminal/io.ts';
import { WORKERS } from './options.ts';

/** How many trials run at the same time, and the threads of each. */
export interface Execution {
  readonly workers: number;
  readonly threads: number;
}

/** @throws UsageError if a number is out of range. */
export function readExecution(
  options: { readonly workers?: string | undefined; readonly threads?: string },
  io: Io,
): Execution {
  const cores = availableCores();
  const workers = parseOption('--workers', options.workers, WORKERS) ?? cores;
  return { workers, threads: readThreads(options, io) ?? Math.max(1, Math.floor(cores / workers)) };
}

export interface ExecutorContext {
  /** Folder whose checkpoints are used. */
  readonly folder: string;
  readonly dataset: Dataset;
  readonly backend: Backend;
  readonly execution: Execution;
  readonly io: Io;
  readonly onProgress: OnProgress;
}

/** Starts a worker thread for each trial that is to run at the same time; where threads are not allowed, trials run one after the
 *  other in this one. */
export async function startExecutor({
  folder,
  dataset,
  backend,
  execution,
  io,
  onProgress,
}: ExecutorContext): Promise<Executor> {
  const { workers, threads } = execution;
  const share = backend.share([dataset.train]);
  try {
    const executor = await ThreadExecutor.start({ share, threads, workers, folder, onProgress });
    if (executor.capacity < workers) printNote(io, `only ${executor.capacity} of ${workers} workers started`);
    return executor;
  } catch (error) {
    printNote(io, `no worker thread started (${(error as Error).message}); trials run one after the other`);
  }
  const others = new Map<Precision, Backend>();
  return new InlineExecutor({
    async backendFor(precision) {
      if (precision === backend.precision) return backend;
      const other = others.get(precision) ?? (await createBackend({ precision, threads: 1 }));
      others.set(precision, other);
      return other;
    },
    images: dataset.train,
    checkpoints: new Checkpoints(folder),
    worker: `${hostname()}, process ${process.pid}`,
    onProgress,
  });
}
