import type { FailedLine, ResultLine } from './journal/lines.ts';
import type { Job } from './plan/job.ts';

/** A job that ended without a result. */
export type Failure = Pick<FailedLine, 'type' | 'error' | 'worker'>;

/** Runs jobs, wherever their workers are. */
export interface Executor {
  /** Number of jobs that it runs at the same time. */
  readonly capacity: number;
  /** Runs a job. Resolves to undefined if it was stopped before its end. */
  run(job: Job): Promise<ResultLine | Failure | undefined>;
  /** Takes note that the outcome of a job is in the journal. */
  written?(job: Job): void;
  /** Lets workers elsewhere remove checkpoints that nobody will need. Without it, all of them are in the folder of the sweep.
   *  @param trainings names from `trainingName`. */
  discard?(trainings: readonly string[]): void;
  /** Stops the running jobs, each with a checkpoint where it can be saved. */
  stop(): void;
  /** Ends the workers. */
  close(): Promise<void>;
}

/** Called with the epochs that a running job has done, a fraction included. */
export type OnProgress = (job: Job, epochs: number) => void;
