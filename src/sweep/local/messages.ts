import type { SharedBackend } from '../../backends/backend.ts';
import type { Failure } from '../executor.ts';
import type { ResultLine } from '../journal/lines.ts';
import type { Job } from '../plan/job.ts';

/** What a worker thread is given when it starts. */
export interface WorkerData {
  /** Backend and training images of the process. */
  readonly share: SharedBackend;
  readonly threads: number;
  /** Folder of the sweep. */
  readonly folder: string;
  /** Name of the worker. */
  readonly worker: string;
}

/** A message to a worker thread: a job, or that it should stop the one it works on. */
export type ToWorker = { readonly type: 'run'; readonly job: Job } | { readonly type: 'stop' };

/** A message from a worker thread. An outcome that is undefined is that of a job that was stopped. */
export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly epochs: number }
  | { readonly type: 'outcome'; readonly outcome: ResultLine | Failure | undefined };
