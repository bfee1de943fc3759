import type { Backend } from '../../backends/backend.ts';
import { UserError } from '../../errors.ts';
import type { ImageSet } from '../../images.ts';
import type { Executor, Failure, OnProgress } from '../executor.ts';
import type { ResultLine } from '../journal/lines.ts';
import type { Job } from '../plan/job.ts';
import type { Checkpoints } from '../trial/checkpoints.ts';
import { runJob } from '../trial/run-job.ts';

export interface InlineOptions {
  /** Starts a backend, or returns one that is already running. It is closed by the caller. */
  readonly backendFor: (precision: Backend['precision']) => Promise<Backend>;
  readonly images: ImageSet;
  readonly checkpoints: Checkpoints;
  readonly worker: string;
  readonly onProgress: OnProgress;
}

/** Runs one job at a time, in this thread. */
export class InlineExecutor implements Executor {
  readonly capacity = 1;
  readonly #options: InlineOptions;
  readonly #stop = new AbortController();

  constructor(options: InlineOptions) {
    this.#options = options;
  }

  async run(job: Job): Promise<ResultLine | Failure | undefined> {
    const { backendFor, onProgress, ...workplace } = this.#options;
    const { signal } = this.#stop;
    let backend: Backend | undefined;
    try {
      backend = await backendFor(job.config.precision);
      return await runJob(job, { ...workplace, backend, signal, onProgress: (epochs) => onProgress(job, epochs) });
    } catch (error) {
      if (signal.aborted && error === signal.reason) return undefined;
      return { type: 'failed', error: describe(error), worker: workplace.worker };
    } finally {
      backend?.reset();
    }
  }

  stop(): void {
    this.#stop.abort();
  }

  async close(): Promise<void> {}
}

/** The message of an error of the user, or everything about a bug. */
function describe(error: unknown): string {
  if (error instanceof UserError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
