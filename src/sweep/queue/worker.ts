import { hostname } from 'node:os';
import type { Job as BullJob, Worker } from 'bullmq';
import { UserError } from '../../errors.ts';
import type { Executor, Failure } from '../executor.ts';
import type { ResultLine } from '../journal/lines.ts';
import { type Job, jobName } from '../plan/job.ts';
import type { Connection } from './connection.ts';
import type { Heartbeat } from './heartbeat.ts';
import {
  type Conditions,
  difference,
  type HandedIn,
  QUEUE_OPTIONS,
  type QueuedJob,
  queueName,
  TRIALS_QUEUE,
} from './protocol.ts';
import { Results } from './results.ts';
import { within } from './within.ts';

/** The journal limits the attempts at a trial, so the queue gives any number. */
const MAX_STALLS = 1_000_000;
/** How long the lock of a trial lasts that is not renewed, because its worker is dead or cut off; and how often that is looked for. */
const [LOCK_MS, STALLED_MS] = [30_000, 10_000];
/** Seconds for which a worker waits for a trial before it asks again. */
const DRAIN_DELAY = 2;
const RETRY_MS = 1000;
/** Time that a worker which was told to stop has for the server. */
const FAREWELL_MS = 3000;

export interface QueueWorkerOptions {
  readonly connection: Connection;
  readonly executor: Executor;
  readonly conditions: Conditions;
  readonly heartbeat: Heartbeat;
  onEnded?(job: Job, outcome: ResultLine | Failure): void;
}

/** Takes trials from a queue, trains them, and hands in their results. */
export class QueueWorker {
  readonly #options: QueueWorkerOptions;
  /** A job that this process runs may come again, after its lock was lost. */
  readonly #running = new Map<string, Promise<ResultLine | Failure | undefined>>();
  #refuse: (error: UserError) => void = () => {};
  #isStopped = false;

  constructor(options: QueueWorkerOptions) {
    this.#options = options;
  }

  /** Works until the signal is aborted, and then hands back what it has begun.
   *  @throws UserError if a trial wants other conditions than those here. */
  async run(signal: AbortSignal): Promise<void> {
    const { connection, executor, heartbeat } = this.#options;
    const worker: Worker<QueuedJob> = new connection.packages.Worker<QueuedJob>(
      TRIALS_QUEUE,
      (job, token) => this.#process(job, token!),
      {
        prefix: QUEUE_OPTIONS.prefix,
        connection: connection.redis,
        concurrency: executor.capacity,
        lockDuration: LOCK_MS,
        stalledInterval: STALLED_MS,
        maxStalledCount: MAX_STALLS,
        drainDelay: DRAIN_DELAY,
        ...JOB_REMOVAL,
      },
    );
    // Those of a server that is away, and of locks that were lost meanwhile: the results are handed in all the same.
    worker.on('error', () => {});
    heartbeat.start();
    try {
      await new Promise<void>((resolve, reject) => {
        this.#refuse = reject;
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve());
      });
    } finally {
      this.#isStopped = true;
      executor.stop();
      await within(FAREWELL_MS, Promise.all([worker.close(), heartbeat.stop()]));
      connection.close();
    }
  }

  async #process(queued: BullJob<QueuedJob>, token: string): Promise<null> {
    const { data } = queued;
    const problem = difference(data, this.#options.conditions);
    if (problem !== undefined) {
      await this.#refuseJob(data, problem);
      return this.#handBack(queued, token);
    }
    const { sweep, job } = data;
    // Somebody may have trained it who then died.
    if (await this.#resultsOf(sweep).isKnown(jobName(job))) return null;
    const outcome = await this.#train(data);
    if (outcome === undefined) return this.#handBack(queued, token);
    await this.#handIn(sweep, jobName(job), { kind: 'outcome', outcome });
    this.#options.onEnded?.(job, outcome);
    return null;
  }

  #train({ sweep, job }: QueuedJob): Promise<ResultLine | Failure | undefined> {
    const { executor, heartbeat } = this.#options;
    const id = queueName(sweep, jobName(job));
    const running = this.#running.get(id);
    if (running) return running;
    heartbeat.begin(sweep, job);
    const training = executor.run(job).finally(() => {
      this.#running.delete(id);
      heartbeat.end(job);
    });
    this.#running.set(id, training);
    return training;
  }

  /** Lets another worker have a job at once. */
  async #handBack(queued: BullJob<QueuedJob>, token: string): Promise<never> {
    await queued.moveToDelayed(Date.now(), token);
    throw new this.#options.connection.packages.DelayedError();
  }

  async #refuseJob({ sweep }: QueuedJob, problem: string): Promise<void> {
    const message = `the worker ${hostname()}, process ${process.pid}, cannot work on the sweep: the worker has ${problem}`;
    await this.#handIn(sweep, `refusal by ${hostname()}, process ${process.pid}`, { kind: 'refusal', message });
    this.#refuse(new UserError(message));
  }

  /** Hands in until the server accepts, whatever it says meanwhile: its memory may be full, or its disk. */
  async #handIn(sweep: string, name: string, data: HandedIn): Promise<void> {
    for (;;) {
      try {
        await this.#resultsOf(sweep).offer(name, JSON.stringify(data));
        return;
      } catch (error) {
        if (this.#isStopped) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  #resultsOf(sweep: string): Results {
    return new Results(this.#options.connection.redis, sweep);
  }
}

const JOB_REMOVAL = { removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } };
