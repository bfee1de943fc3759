import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Executor, Failure, OnProgress } from '../executor.ts';
import type { ResultLine } from '../journal/lines.ts';
import type { Job } from '../plan/job.ts';
import type { FromWorker, ToWorker, WorkerData } from './messages.ts';

/** The program of a worker thread. Node 20 runs no TypeScript, so it is that of the built package, also for tests. */
const PACKAGE = path.dirname(createRequire(import.meta.url).resolve('nn-train/package.json'));
const SCRIPT = pathToFileURL(path.join(PACKAGE, 'dist/sweep/local/worker.js'));

export interface ThreadsOptions extends Pick<WorkerData, 'share' | 'threads' | 'folder'> {
  /** Number of worker threads. */
  readonly workers: number;
  readonly onProgress: OnProgress;
  /** Another program for the worker threads. */
  readonly script?: URL | undefined;
}

/** Runs each job in a worker thread of this process. */
export class ThreadExecutor implements Executor {
  readonly capacity: number;
  readonly #options: ThreadsOptions;
  readonly #idle: TrialThread[];
  readonly #all: readonly TrialThread[];
  #isStopped = false;

  private constructor(options: ThreadsOptions, threads: readonly TrialThread[]) {
    this.capacity = threads.length;
    this.#options = options;
    this.#all = threads;
    this.#idle = [...threads];
  }

  /** Starts the workers. If some do not start, it makes do with the others.
   *  @throws the error of the first worker if none starts. */
  static async start(options: ThreadsOptions): Promise<ThreadExecutor> {
    const threads = Array.from({ length: options.workers }, (_, i) => new TrialThread(options, i + 1));
    const starts = await Promise.allSettled(threads.map((thread) => thread.start()));
    const started = threads.filter((_, i) => starts[i].status === 'fulfilled');
    if (started.length === 0) throw (starts[0] as PromiseRejectedResult).reason;
    return new ThreadExecutor(options, started);
  }

  async run(job: Job): Promise<ResultLine | Failure | undefined> {
    if (this.#isStopped) return undefined;
    const thread = this.#idle.pop();
    if (!thread) throw new Error(`no worker is idle: at most ${this.capacity} jobs run at the same time`);
    try {
      return await thread.run(job, this.#options.onProgress);
    } finally {
      this.#idle.push(thread);
    }
  }

  stop(): void {
    this.#isStopped = true;
    for (const thread of this.#all) thread.stop();
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((thread) => thread.close()));
  }
}

/** One worker thread, or the next one after it has crashed. */
class TrialThread {
  readonly #options: ThreadsOptions;
  readonly #name: string;
  #worker: Worker | undefined;
  /** Takes the messages of the thread, and the reason if it crashes. */
  #take: (message: FromWorker | { readonly type: 'crashed'; readonly why: string }) => void = () => {};

  constructor(options: ThreadsOptions, number: number) {
    this.#options = options;
    this.#name = `${hostname()}, process ${process.pid}, worker ${number}`;
  }

  async start(): Promise<void> {
    const { share, threads, folder, script = SCRIPT } = this.#options;
    const workerData: WorkerData = { share, threads, folder, worker: this.#name };
    const worker = new Worker(script, { workerData, execArgv: [] });
    const crashed = (why: string) => {
      // An error is followed by an exit, when another thread may already be at work.
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#take({ type: 'crashed', why });
    };
    worker.on('message', (message: FromWorker) => this.#take(message));
    worker.on('error', (error) => crashed(error.message));
    worker.on('exit', (code) => crashed(`it exited with code ${code}`));
    this.#worker = worker;
    await new Promise<void>((resolve, reject) => {
      this.#take = (message) => (message.type === 'crashed' ? reject(new Error(message.why)) : resolve());
    });
    worker.unref();
  }

  /** Runs a job. A crash of the thread is a failure of the job; the next job gets a new thread. */
  async run(job: Job, onProgress: OnProgress): Promise<ResultLine | Failure | undefined> {
    const failure = (error: string): Failure => ({ type: 'failed', error, worker: this.#name });
    try {
      if (!this.#worker) await this.start();
    } catch (error) {
      return failure(`the worker did not start: ${(error as Error).message}`);
    }
    const worker = this.#worker!;
    worker.ref();
    const outcome = new Promise<ResultLine | Failure | undefined>((resolve) => {
      this.#take = (message) => {
        if (message.type === 'progress') onProgress(job, message.epochs);
        if (message.type === 'outcome') resolve(message.outcome);
        if (message.type === 'crashed') resolve(failure(`the worker crashed: ${message.why}`));
      };
    });
    worker.postMessage({ type: 'run', job } satisfies ToWorker);
    return outcome.finally(() => worker.unref());
  }

  stop(): void {
    this.#worker?.postMessage({ type: 'stop' } satisfies ToWorker);
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }
}
