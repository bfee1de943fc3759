import { Worker } from 'node:worker_threads';
import { UserError } from '../../../errors.ts';
import { MAX_TASKS, SPINS, WORD } from '../jobs.ts';
import type { Memory } from '../memory.ts';
import { availableCores } from './cores.ts';

type Run = (kernel: number, tasks: number, job: number) => number;

const NAP_MS = 100;
/** How long the main thread waits, awake, while no task gets done, before it gives up. */
const PATIENCE_MS = 10_000;

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
    memory.words[WORD.spins >>> 2] = count <= availableCores() ? SPINS.threadsOnCores : SPINS.moreThreads;
    const workers = Array.from({ length: count - 1 }, (_, i) => {
      const workerData = { module, memory: memory.wasm, thread: i + 1, word: WORD };
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
    if (this.#run(kernel, tasks, this.#job) === 0) this.#join(tasks);
    if (Atomics.load(this.#memory.words, WORD.failed >>> 2) === 0) return;
    this.#fail('a worker thread failed');
    throw this.#error(this.#failure!);
  }

  /** Sleeps until the tasks are done that workers have claimed. In short naps, so that a process that was stopped for a
   *  while is not taken for one whose worker has died. */
  #join(tasks: number): void {
    const { words } = this.#memory;
    const done = () => Atomics.load(words, WORD.done >>> 2);
    Atomics.store(words, WORD.mainSleeps >>> 2, 1);
    let [before, naps] = [done(), 0];
    for (let now = before; now < tasks && Atomics.load(words, WORD.failed >>> 2) === 0; now = done()) {
      if (now !== before) naps = 0;
      before = now;
      if (++naps > PATIENCE_MS / NAP_MS) {
        this.#fail(`a worker thread has not done its task in ${PATIENCE_MS / 1000} s`);
        throw this.#error(this.#failure!);
      }
      Atomics.wait(words, WORD.done >>> 2, now, NAP_MS);
    }
    Atomics.store(words, WORD.mainSleeps >>> 2, 0);
  }

  /** Lets the workers go. */
  close(): void {
    this.#failure ??= 'the backend is closed';
    if (this.#workers.length === 0) return;
    Atomics.store(this.#memory.words, WORD.closed >>> 2, 1);
    Atomics.add(this.#memory.words, WORD.signal >>> 2, 1);
    Atomics.notify(this.#memory.words, WORD.signal >>> 2);
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
