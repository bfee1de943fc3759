import { Worker } from 'node:worker_threads';
import { UserError } from '../../errors.ts';
import { MAX_TASKS, OUTCOME, WORD } from './jobs.ts';
import type { Memory } from './memory.ts';

type Run = (kernel: number, tasks: number, job: number) => number;

/** The threads that do the tasks of kernels: this one and, where memory is shared, workers. */
export class Threads {
  readonly count: number;
  readonly #memory: Memory;
  readonly #run: Run;
  readonly #workers: readonly Worker[];
  #failure: string | undefined;
  #job = 0;

  private constructor(memory: Memory, run: Run, workers: readonly Worker[]) {
    this.#memory = memory;
    this.#run = run;
    this.#workers = workers;
    this.count = 1 + workers.length;
    for (const [i, worker] of workers.entries()) {
      worker.on('error', (error) => this.#fail(`worker thread ${i + 1} failed: ${error.message}`));
      worker.on('exit', (code) => this.#fail(`worker thread ${i + 1} ended (exit code ${code})`));
    }
  }

  /** Starts `count` − 1 workers and waits until they are ready.
   *  @throws UserError if one of them does not start. */
  static async start(module: WebAssembly.Module, memory: Memory, count: number, script: URL): Promise<Threads> {
    const { exports } = new WebAssembly.Instance(module, { env: { memory: memory.wasm } });
    const workers = Array.from({ length: count - 1 }, (_, i) => {
      const workerData = { module, memory: memory.wasm, thread: i + 1, failed: WORD.failed, done: WORD.done };
      return new Worker(script, { workerData, execArgv: [] });
    });
    const threads = new Threads(memory, exports.run as Run, workers);
    try {
      await Promise.all(workers.map(ready));
    } catch (error) {
      threads.close();
      throw error;
    }
    // An idle worker must not keep the process alive.
    for (const worker of workers) worker.unref();
    return threads;
  }

  /** Does all tasks of a kernel, whose arguments are in memory.
   *  @throws UserError if a worker has died: what it was doing is lost. */
  run(kernel: number, tasks: number): void {
    if (this.#failure) throw this.#error(this.#failure);
    if (tasks > MAX_TASKS) throw new RangeError(`${tasks} tasks in one job, wanted at most ${MAX_TASKS}`);
    this.#job = (this.#job + 1) & 0xffffff;
    const outcome = this.#run(kernel, tasks, this.#job);
    if (outcome === OUTCOME.done) return;
    this.#fail(
      outcome === OUTCOME.stalled ? 'a worker thread has not done its task in 10 s' : 'a worker thread failed',
    );
    throw this.#error(this.#failure!);
  }

  /** Lets the workers go. */
  close(): void {
    this.#failure ??= 'the backend is closed';
    if (this.#workers.length === 0) return;
    Atomics.store(this.#memory.words, WORD.closed >> 2, 1);
    Atomics.add(this.#memory.words, WORD.signal >> 2, 1);
    Atomics.notify(this.#memory.words, WORD.signal >> 2);
    for (const worker of this.#workers) worker.terminate();
  }

  #fail(why: string): void {
    this.#failure ??= why;
  }

  #error(why: string): Error {
    return new UserError(`${why}; resume the run from its last checkpoint, or take fewer --threads`);
  }
}

function ready(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new UserError(`a worker thread did not start: ${why}; try --threads 1`));
    worker.once('message', () => resolve());
    worker.once('error', (error) => fail(error.message));
    worker.once('exit', (code) => fail(`it ended with exit code ${code}`));
  });
}
