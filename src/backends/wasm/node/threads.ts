import { Worker } from 'node:worker_threads';
import { UserError } from '../../../errors.ts';
import { field, message } from '../../../message.ts';
import { MAX_SPINS, MAX_TASKS, OFFSET, TICKET_BYTES } from '../jobs.ts';
import type { Memory } from '../memory.ts';
import { availableCores } from './cores.ts';

type Run = (kernel: number, tasks: number, job: number) => number;

const POLL_INTERVAL_MS = 100;
/** How long the main thread waits for the next task to finish before it gives up. A task takes milliseconds, but a machine
 *  that is overloaded or swaps may keep a worker waiting for many seconds. */
const TASK_TIMEOUT_MS = 60_000;

/** A worker thread did not start. */
export class ThreadStartError extends UserError {
  override readonly name = 'ThreadStartError';
  readonly reason: string;
  /** Threads that did start, with the main thread. */
  readonly started: number;

  constructor(reason: string, started: number, cause: unknown) {
    super(message`a worker thread did not start: ${reason}; try ${field('threads', 1)}`, undefined, { cause });
    this.reason = reason;
    this.started = started;
  }
}

/** The threads that do the tasks of kernels: the main thread and, if memory is shared, workers. */
export class Threads {
  readonly count: number;
  /** The address of the words that the threads share; see OFFSET. */
  readonly base: number;
  readonly #memory: Memory;
  readonly #run: Run;
  readonly #workers: readonly Worker[];
  #failure: string | undefined;
  #job = 0;

  private constructor(memory: Memory, base: number, run: Run, workers: readonly Worker[]) {
    this.base = base;
    this.#memory = memory;
    this.#run = run;
    this.#workers = workers;
    this.count = 1 + workers.length;
    for (const [i, worker] of workers.entries()) {
      worker.on('error', (error) => this.#fail(`worker thread ${i + 1} failed: ${error.message}`));
      worker.on('exit', (code) => this.#fail(`worker thread ${i + 1} exited (code ${code})`));
    }
  }

  /** Starts `count` − 1 workers and waits until they are ready.
   *  @throws ThreadStartError if one of them does not start; the others are stopped. */
  static async start(module: WebAssembly.Module, memory: Memory, count: number, script: URL): Promise<Threads> {
    const base = memory.keep(OFFSET.tickets + count * TICKET_BYTES);
    const { wasm } = memory.space;
    const { exports } = new WebAssembly.Instance(module, { env: { memory: wasm, base } });
    memory.words[(base + OFFSET.threads) >>> 2] = count;
    memory.words[(base + OFFSET.maxSpins) >>> 2] =
      count <= availableCores() ? MAX_SPINS.coreEach : MAX_SPINS.oversubscribed;
    const workers: Worker[] = [];
    const starts: Promise<void>[] = [];
    let refused: unknown;
    try {
      for (let thread = 1; thread < count; thread++) {
        const workerData = { module, memory: wasm, base, thread, offset: OFFSET };
        const worker = new Worker(script, { workerData, execArgv: [] });
        workers.push(worker);
        starts.push(ready(worker));
      }
    } catch (error) {
      // Thrown at once where threads are limited (ulimit -u) or forbidden (Node's permission model).
      refused = error;
    }
    const threads = new Threads(memory, base, exports.run as Run, workers);
    const results = await Promise.allSettled(starts);
    const failed = results.find((result) => result.status === 'rejected');
    if (refused !== undefined || failed !== undefined) {
      threads.close();
      const started = results.filter((result) => result.status === 'fulfilled').length;
      throw new ThreadStartError(reasonOf(refused ?? failed!.reason), 1 + started, refused ?? failed!.reason);
    }
    // An idle worker must not keep the process alive.
    for (const worker of workers) worker.unref();
    return threads;
  }

  /** Runs all tasks of a kernel whose arguments are in memory.
   *  @throws UserError if a worker has failed: its task is lost. */
  run(kernel: number, tasks: number): void {
    this.expectUsable();
    if (tasks > MAX_TASKS) throw new RangeError(`${tasks} tasks in one job, wanted at most ${MAX_TASKS}`);
    this.#job = (this.#job + 1) & 0xffffff;
    if (this.#run(kernel, tasks, this.#job) === 0) this.#waitForWorkers(tasks);
    if (Atomics.load(this.#memory.words, this.#at('failed')) === 0) return;
    this.#fail('a worker thread failed');
    throw this.#error(this.#failure!);
  }

  /** Sleeps until the workers have done the tasks that they claimed. It wakes often and counts the intervals, so that time
   *  during which the whole process was stopped does not count towards the timeout. */
  #waitForWorkers(tasks: number): void {
    const { words } = this.#memory;
    const done = () => Atomics.load(words, this.#at('done'));
    Atomics.store(words, this.#at('mainIsWaiting'), 1);
    let [before, intervals] = [done(), 0];
    for (let now = before; now < tasks && Atomics.load(words, this.#at('failed')) === 0; now = done()) {
      if (now !== before) intervals = 0;
      before = now;
      if (++intervals > TASK_TIMEOUT_MS / POLL_INTERVAL_MS) {
        this.#fail(`a worker thread did not finish its task in ${TASK_TIMEOUT_MS / 1000} s`);
        throw this.#error(this.#failure!);
      }
      Atomics.wait(words, this.#at('done'), now, POLL_INTERVAL_MS);
    }
    Atomics.store(words, this.#at('mainIsWaiting'), 0);
  }

  /** @throws UserError if the threads cannot run kernels: a worker has failed, or they are closed. */
  expectUsable(): void {
    if (this.#failure) throw this.#error(this.#failure);
  }

  /** Stops the workers. */
  close(): void {
    this.#failure ??= 'the backend is closed';
    if (this.#workers.length === 0) return;
    Atomics.store(this.#memory.words, this.#at('closed'), 1);
    Atomics.add(this.#memory.words, this.#at('signal'), 1);
    Atomics.notify(this.#memory.words, this.#at('signal'));
    for (const worker of this.#workers) worker.terminate();
  }

  /** The index of a shared word. */
  #at(word: keyof typeof OFFSET): number {
    return (this.base + OFFSET[word]) >>> 2;
  }

  #fail(reason: string): void {
    this.#failure ??= reason;
  }

  #error(why: string): Error {
    return new UserError(message`${why}; resume the run from its last checkpoint, or use fewer ${field('threads')}`);
  }
}

function ready(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`it exited with code ${code}`)));
  });
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ERR_ACCESS_DENIED') return "Node's permission model forbids it (allow it with --allow-worker)";
  if (code === 'ERR_WORKER_INIT_FAILED' || message === 'EAGAIN') return 'the system has no room for another thread';
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return 'memory is short';
  return message;
}
