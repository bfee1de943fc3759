import type { Queue } from 'bullmq';
import { UserError } from '../../errors.ts';
import type { Executor, Failure, OnProgress } from '../executor.ts';
import type { ResultLine } from '../journal/lines.ts';
import { type Job, jobName, jobNamed } from '../plan/job.ts';
import { expectSame } from '../plan/outcomes.ts';
import type { Plan } from '../plan/plan.ts';
import { Absence } from './absence.ts';
import type { Connection } from './connection.ts';
import {
  type Conditions,
  DISCARDED_KEY,
  decodeHandedIn,
  JOB_OPTIONS,
  QUEUE_OPTIONS,
  type QueuedJob,
  queueName,
  type SeenWorker,
  TRIALS_QUEUE,
  type WorkerState,
} from './protocol.ts';
import { Results } from './results.ts';
import { within } from './within.ts';
import { WorkersWatch } from './workers-watch.ts';

/** Trials that wait in the queue or are trained: far more than there are workers. */
const CAPACITY = 1000;
/** Time between two looks at the results, if there are none or they are not in the journal. */
const POLL_MS = 50;
/** A job without a result is put into the queue again after this time, in which case the queue drops it unless it had lost it. */
const RESUBMIT_MS = 5000;
/** Time for which the server may be away before a note says so. */
const PATIENCE_MS = 3000;
/** Names in one entry of the stream of discarded trainings, and entries that are kept for workers that start later. */
const [MAX_DISCARDED, KEPT_DISCARDS] = [1000, 1000];
/** Time to tidy the queue at the end. */
const TIDY_MS = 2000;

export interface QueueExecutorOptions {
  readonly connection: Connection;
  /** From `sweepId`. */
  readonly sweep: string;
  readonly conditions: Conditions;
  /** Knows the results in the journal. */
  readonly plan: Pick<Plan, 'trials' | 'outcomeOf'>;
  readonly onProgress: OnProgress;
  /** Called every second with the workers of the last minute. */
  readonly onWorkers: (workers: readonly SeenWorker[]) => void;
  /** Called with what the user should know. */
  readonly onNote: (text: string) => void;
}

interface Waiting {
  readonly job: Job;
  submittedAt: number;
  resolve(outcome: ResultLine | Failure | undefined): void;
  reject(error: unknown): void;
}

/** Runs jobs on any worker that takes them from a queue. Results wait on the server until they are in the journal, so that none
 *  is lost, whoever dies. */
export class QueueExecutor implements Executor {
  readonly capacity = CAPACITY;
  readonly #options: QueueExecutorOptions;
  readonly #trials: Queue<QueuedJob>;
  readonly #results: Results;
  readonly #waiting = new Map<string, Waiting>();
  /** Results that were taken, but not removed from the server: they are on their way to the journal, or there now. */
  readonly #taken = new Set<string>();
  readonly #written: string[] = [];
  /** Ends the pause between two looks. */
  #wake = () => {};
  readonly #watch: WorkersWatch;
  readonly #polling: Promise<void>;
  readonly #unsubmitted: Waiting[] = [];
  #isStopped = false;
  #isClosed = false;
  readonly #absence: Absence;

  constructor(options: QueueExecutorOptions) {
    const { redis, packages } = options.connection;
    this.#options = options;
    this.#trials = new packages.Queue(TRIALS_QUEUE, { ...QUEUE_OPTIONS, connection: redis });
    this.#trials.on('error', () => {});
    this.#results = new Results(redis, options.sweep);
    this.#absence = new Absence(options.connection.shown, options.onNote);
    this.#watch = new WorkersWatch(redis, options.onWorkers, (running) => this.#progress(running));
    this.#polling = this.#poll();
  }

  run(job: Job): Promise<ResultLine | Failure | undefined> {
    if (this.#isStopped) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const waiting = { job, submittedAt: 0, resolve, reject };
      this.#waiting.set(jobName(job), waiting);
      if (this.#unsubmitted.push(waiting) > 1) return;
      queueMicrotask(() => void this.#submit(this.#unsubmitted.splice(0)).catch(() => {}));
    });
  }

  written(job: Job): void {
    if (this.#written.push(jobName(job)) > 1) return;
    queueMicrotask(() => void this.#removeWritten(this.#written.splice(0)));
  }

  discard(trainings: readonly string[]): void {
    const { redis } = this.#options.connection;
    for (let i = 0; i < trainings.length; i += MAX_DISCARDED) {
      const names = trainings.slice(i, i + MAX_DISCARDED).join(' ');
      // One that is lost costs a file in a cache.
      void redis.xadd(DISCARDED_KEY, 'MAXLEN', '~', KEPT_DISCARDS, '*', 'names', names).catch(() => {});
    }
  }

  stop(): void {
    this.#isStopped = true;
    for (const { resolve } of this.#waiting.values()) resolve(undefined);
  }

  /** Takes what nobody has begun out of the queue. The results of running trials wait there until the sweep goes on; after its
   *  last one, nothing of it is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watch.close();
    const { connection, sweep } = this.#options;
    const tidy: Promise<unknown>[] = [...this.#waiting.keys()].map((name) => {
      return this.#trials.remove(queueName(sweep, name)).catch(() => {});
    });
    if (!this.#isStopped) tidy.push(this.#results.end().catch(() => {}));
    await within(TIDY_MS, Promise.all([...tidy, this.#polling]));
    connection.close();
  }

  /** Puts jobs into the queue, which drops those that it already has. */
  async #submit(jobs: readonly Waiting[]): Promise<void> {
    if (jobs.length === 0) return;
    const { sweep, conditions } = this.#options;
    for (const waiting of jobs) waiting.submittedAt = performance.now();
    await this.#results.expect(jobs.map(({ job }) => jobName(job)));
    await this.#trials.addBulk(
      jobs.map(({ job }) => ({
        name: 'trial',
        data: { sweep, job, conditions },
        // Trials of higher rungs come first: others wait for them.
        opts: { ...JOB_OPTIONS, lifo: job.rung > 0, jobId: queueName(sweep, jobName(job)) },
      })),
    );
  }

  async #poll(): Promise<void> {
    while (!this.#isClosed) {
      const late = setTimeout(() => this.#noteAbsence('it does not answer'), PATIENCE_MS);
      try {
        // Otherwise they would be read twice.
        if (this.#taken.size === 0) await this.#takeResults();
        await this.#resubmit();
        this.#absence.noteReturn();
      } catch (error) {
        this.#fail(error);
      } finally {
        clearTimeout(late);
      }
      await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, POLL_MS);
    });
    clearTimeout(timer);
  }

  async #takeResults(): Promise<void> {
    const handedIn = await this.#results.waiting();
    await this.#results.remove(handedIn.filter(([name, text]) => this.#take(name, text)).map(([name]) => name));
  }

  /** Takes what was handed in. Returns whether it can be removed. */
  #take(name: string, text: string): boolean {
    const handedIn = decodeHandedIn(text);
    if (handedIn?.kind !== 'outcome') {
      this.#options.onNote(handedIn?.message ?? `something else than a result was handed in as ${name}, and ignored`);
      return true;
    }
    const { outcome } = handedIn;
    const waiting = this.#waiting.get(name);
    if (waiting) {
      this.#waiting.delete(name);
      this.#taken.add(name);
      waiting.resolve(outcome);
      return false;
    }
    const { trial: number, rung, seed } = jobNamed(name);
    const trial = this.#options.plan.trials[number];
    const known = trial && this.#options.plan.outcomeOf(trial, rung, seed);
    if (known?.type === 'result' && outcome.type === 'result') expectSame(known, outcome);
    // That of a trial which is not known yet waits for it.
    return known !== undefined || outcome.type === 'failed';
  }

  async #removeWritten(names: readonly string[]): Promise<void> {
    // Those that cannot be removed are taken again, and compared.
    await this.#results.removeWritten(names).catch(() => {});
    for (const name of names) this.#taken.delete(name);
    if (this.#taken.size === 0) this.#wake();
  }

  async #resubmit(): Promise<void> {
    const now = performance.now();
    const old = [...this.#waiting.values()].filter(
      ({ submittedAt }) => submittedAt > 0 && now - submittedAt > RESUBMIT_MS,
    );
    await this.#submit(old);
  }

  #progress(running: WorkerState['running']): void {
    for (const { sweep, job, epochs } of running) {
      const waiting = sweep === this.#options.sweep ? this.#waiting.get(job) : undefined;
      if (waiting) this.#options.onProgress(waiting.job, epochs);
    }
  }

  /** Errors of the server pass; others end the sweep. */
  #fail(error: unknown): void {
    if (error instanceof UserError) for (const { reject } of this.#waiting.values()) reject(error);
    else this.#noteAbsence((error as Error).message);
  }

  #noteAbsence(why: string): void {
    if (!this.#isClosed) this.#absence.note(why);
  }
}
