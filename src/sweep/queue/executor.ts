import type { Queue } from 'bullmq';
import { UserError } from '../../errors.ts';
import type { Executor, Failure, OnProgress } from '../executor.ts';
import type { ResultLine } from '../journal/lines.ts';
import { type Job, jobName, jobNamed } from '../plan/job.ts';
import { expectSame } from '../plan/outcomes.ts';
import type { Plan } from '../plan/plan.ts';
import type { Connection } from './connection.ts';
import {
  type Conditions,
  decodeHandedIn,
  JOB_OPTIONS,
  QUEUE_OPTIONS,
  type QueuedJob,
  queueName,
  resultsQueue,
  type SeenWorker,
  TRIALS_QUEUE,
  type WorkerState,
  writtenKey,
} from './protocol.ts';
import { WorkersWatch } from './workers-watch.ts';

/** Trials that wait in the queue or are trained: far more than there are workers. */
const CAPACITY = 1000;
/** Time between two looks at the results, if there are none. */
const POLL_MS = 50;
/** A job without a result is put into the queue again after this time, in which case the queue drops it unless it had lost it. */
const RESUBMIT_MS = 5000;
/** Time for which the server may be away before a note says so. */
const PATIENCE_MS = 3000;
/** Time for which the names of trials are kept whose results are in the journal: longer than any worker holds one. */
const WRITTEN_SECONDS = 86_400;
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

/** Runs jobs on any worker that takes them from a queue. Results wait in a second queue until they are in the journal, so that
 *  none is lost, whoever dies. */
export class QueueExecutor implements Executor {
  readonly capacity = CAPACITY;
  readonly #options: QueueExecutorOptions;
  readonly #trials: Queue<QueuedJob>;
  readonly #results: Queue;
  readonly #waiting = new Map<string, Waiting>();
  /** Results that were taken, but are not in the journal yet or still in their queue. */
  readonly #taken = new Set<string>();
  readonly #watch: WorkersWatch;
  readonly #polling: Promise<void>;
  #unsubmitted: Waiting[] = [];
  #isStopped = false;
  #isClosed = false;
  #troubleAt: number | undefined;

  constructor(options: QueueExecutorOptions) {
    const { redis, packages } = options.connection;
    this.#options = options;
    this.#trials = new packages.Queue(TRIALS_QUEUE, { ...QUEUE_OPTIONS, connection: redis });
    this.#results = new packages.Queue(resultsQueue(options.sweep), { ...QUEUE_OPTIONS, connection: redis });
    for (const queue of [this.#trials, this.#results]) queue.on('error', () => {});
    this.#watch = new WorkersWatch(redis, options.onWorkers, (running) => this.#progress(running));
    this.#polling = this.#poll();
  }

  run(job: Job): Promise<ResultLine | Failure | undefined> {
    if (this.#isStopped) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const waiting = { job, submittedAt: 0, resolve, reject };
      this.#waiting.set(jobName(job), waiting);
      if (this.#unsubmitted.push(waiting) === 1) queueMicrotask(() => this.#submitNew());
    });
  }

  /** Removes a result that is in the journal from its queue. A worker that died after it had handed it in still holds the trial:
   *  whoever takes that up finds its name here, and leaves it. */
  written(job: Job): void {
    const { connection, sweep } = this.#options;
    const key = writtenKey(sweep);
    const note = connection.redis.multi().sadd(key, jobName(job)).expire(key, WRITTEN_SECONDS).exec();
    void note.catch(() => {}).then(() => this.#remove(this.#results, jobName(job)));
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
    const tidy: Promise<unknown>[] = [...this.#waiting.keys()].map((name) => this.#remove(this.#trials, name));
    if (!this.#isStopped) tidy.push(this.#results.obliterate({ force: true }).catch(() => {}));
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise((resolve) => {
      timer = setTimeout(resolve, TIDY_MS);
    });
    await Promise.race([Promise.all([...tidy, this.#polling]), limit]);
    clearTimeout(timer);
    this.#options.connection.close();
  }

  #submitNew(): void {
    const jobs = this.#unsubmitted;
    this.#unsubmitted = [];
    void this.#submit(jobs).catch(() => {});
  }

  /** Puts jobs into the queue, which drops those that it already has. */
  async #submit(jobs: readonly Waiting[]): Promise<void> {
    if (jobs.length === 0) return;
    const { connection, sweep, conditions } = this.#options;
    for (const waiting of jobs) waiting.submittedAt = performance.now();
    // One that failed is tried again under the same name.
    await connection.redis.srem(writtenKey(sweep), ...jobs.map(({ job }) => jobName(job)));
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
      let count = 0;
      const late = setTimeout(() => this.#noteAbsence('it does not answer'), PATIENCE_MS);
      try {
        count = await this.#takeResults();
        await this.#resubmit();
        this.#noteReturn();
      } catch (error) {
        this.#fail(error);
      } finally {
        clearTimeout(late);
      }
      if (count === 0) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Takes the results that are there, and resolves to their number. */
  async #takeResults(): Promise<number> {
    const ids = await this.#results.getRanges(['wait'], 0, CAPACITY + this.#taken.size, true);
    const found = await Promise.all(ids.filter((id) => !this.#taken.has(id)).map((id) => this.#results.getJob(id)));
    const present = found.filter((result) => result !== undefined);
    for (const { id, data } of present) await this.#take(id!, data);
    return present.length;
  }

  async #take(id: string, data: unknown): Promise<void> {
    const handedIn = decodeHandedIn(data);
    if (handedIn?.kind !== 'outcome') {
      this.#options.onNote(handedIn?.message ?? `something else than a result was handed in as ${id}, and ignored`);
      await this.#results.remove(id);
      return;
    }
    const { name, outcome } = handedIn;
    const waiting = this.#waiting.get(name);
    if (waiting) {
      this.#waiting.delete(name);
      this.#taken.add(id);
      waiting.resolve(outcome);
      return;
    }
    const { trial: number, rung, seed } = jobNamed(name);
    const trial = this.#options.plan.trials[number];
    const known = trial && this.#options.plan.outcomeOf(trial, rung, seed);
    if (known?.type === 'result' && outcome.type === 'result') expectSame(known, outcome);
    // That of a trial which is not known yet waits for it.
    if (known || outcome.type === 'failed') await this.#results.remove(id);
  }

  async #resubmit(): Promise<void> {
    const now = performance.now();
    const old = [...this.#waiting.values()].filter(
      ({ submittedAt }) => submittedAt > 0 && now - submittedAt > RESUBMIT_MS,
    );
    await this.#submit(old);
  }

  async #remove(queue: Queue, job: string): Promise<void> {
    const id = queueName(this.#options.sweep, job);
    await queue.remove(id).catch(() => {});
    this.#taken.delete(id);
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
    if (this.#isClosed) return;
    const isNew = this.#troubleAt === undefined;
    this.#troubleAt = performance.now();
    if (isNew)
      this.#options.onNote(
        `the queue ${this.#options.connection.shown} is away (${why.split('\n')[0]}); waiting for it`,
      );
  }

  /** It is back if all that was sent since has been accepted, new trials included. */
  #noteReturn(): void {
    if (this.#troubleAt === undefined || performance.now() - this.#troubleAt < 2 * RESUBMIT_MS) return;
    this.#troubleAt = undefined;
    this.#options.onNote('the queue answers again');
  }
}
