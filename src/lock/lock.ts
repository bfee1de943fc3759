import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, lstatSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { makeFolder, removeQuietly, temporaryName } from '../files.ts';
import { beat } from './heartbeat.js';
import { isRunning, type LockHolder, type LockRecord, thisProcess } from './holder.ts';

/** Intervals in milliseconds. */
export interface LockTimes {
  /** Interval between two heartbeats of the holder. */
  readonly heartbeatInterval: number;
  /** Time without a heartbeat after which the holder is presumed dead, if this process cannot know. Many heartbeats long,
   *  because a busy machine delays them. */
  readonly staleAfter: number;
  /** Interval at which a waiting process checks the lock. */
  readonly pollInterval: number;
  /** Interval between two calls of `onWait`. */
  readonly remindInterval: number;
}

const DEFAULT_TIMES: LockTimes = {
  heartbeatInterval: 5_000,
  staleAfter: 120_000,
  pollInterval: 200,
  remindInterval: 5_000,
};

/** Attempts to take a stale lock over, while other processes try the same. */
const MAX_TAKEOVERS = 10;

/** A lock that another process holds. */
export interface HeldLock {
  /** Undefined if the lock file cannot be read. */
  readonly holder: LockRecord | undefined;
  /** Milliseconds since the last heartbeat. */
  readonly silence: number;
  /** Milliseconds until the lock is stale if no heartbeat comes; undefined if the holder is known to run. */
  readonly staleIn: number | undefined;
}

/** An exclusive lock between processes: a file whose content identifies the holder, and whose modification time is the
 *  holder's last heartbeat. A lock is stale, and passes to the next process that asks, if its holder is known to have ended
 *  or, where that cannot be known, if its heartbeats have stopped. */
export class Lock {
  readonly #path: string;
  readonly #content: string;
  readonly #stopHeartbeat: () => void;

  /** @param content of the lock file, which this process has created. */
  constructor(path: string, content: string, { heartbeatInterval }: LockTimes) {
    this.#path = path;
    this.#content = content;
    this.#stopHeartbeat = startHeartbeat(path, content, heartbeatInterval);
  }

  /** Takes the lock unless another process holds it. File-system errors are passed on. */
  static take(path: string, times = DEFAULT_TIMES): Promise<Lock | HeldLock> {
    return new Applicant(path, times).take();
  }

  /** Says who holds the lock; undefined if nobody does. File-system errors are passed on. */
  static inspect(path: string, times = DEFAULT_TIMES): HeldLock | undefined {
    return new Applicant(path, times).inspect();
  }

  /** Whether this process still holds the lock: another one takes over if this one sleeps too long. A lock file that was
   *  removed is written again. File-system errors are passed on. */
  isHeld(): boolean {
    return read(this.#path) === this.#content || create(this.#path, this.#content);
  }

  async release(): Promise<void> {
    this.#stopHeartbeat();
    if (read(this.#path) === this.#content) await removeQuietly(this.#path);
  }
}

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called when another process holds the lock, then once per `times.remindInterval`. */
  readonly onWait?: ((holder: LockHolder) => void) | undefined;
  readonly times?: LockTimes | undefined;
}

/** Runs `work` under a lock, waiting for it if necessary. Rejects with the reason of `signal` if it is aborted while waiting. */
export async function withLock<T>(path: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  await makeFolder(dirname(path));
  const lock = await waitFor(path, options);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

async function waitFor(path: string, { signal, onWait, times = DEFAULT_TIMES }: LockOptions): Promise<Lock> {
  const applicant = new Applicant(path, times);
  for (let remindAt = 0; ; ) {
    const taken = await applicant.take();
    if (taken instanceof Lock) return taken;
    signal?.throwIfAborted();
    if (taken.holder && performance.now() >= remindAt) {
      onWait?.({ pid: taken.holder.pid, host: taken.holder.host });
      remindAt = performance.now() + times.remindInterval;
    }
    await sleep(times.pollInterval, undefined, { signal }).catch(() => {});
  }
}

/** A process that wants a lock. */
class Applicant {
  readonly #path: string;
  readonly #times: LockTimes;
  readonly #content = JSON.stringify({ ...thisProcess(), id: randomUUID() });
  /** Milliseconds by which the clock of the file system is ahead of this machine's; undefined until it is needed. */
  #clockOffset: number | undefined;

  constructor(path: string, times: LockTimes) {
    this.#path = path;
    this.#times = times;
  }

  async take(): Promise<Lock | HeldLock> {
    for (let takeovers = 0; ; takeovers++) {
      if (create(this.#path, this.#content)) return new Lock(this.#path, this.#content, this.#times);
      const held = this.#inspect(this.#path);
      if (held && (!isStale(held) || takeovers === MAX_TAKEOVERS)) return held;
      if (held && !(await this.#removeStale())) await sleep(this.#times.pollInterval);
    }
  }

  inspect(): HeldLock | undefined {
    return this.#inspect(this.#path);
  }

  /** Removes a stale lock. A second lock guards the removal: of two processes, the slower could otherwise remove the new lock
   *  of the faster. Resolves to false if another process has the guard. */
  async #removeStale(): Promise<boolean> {
    const guard = `${this.#path}.guard`;
    if (!create(guard, this.#content)) {
      if (isStale(this.#inspect(guard))) await rm(guard, { force: true });
      return false;
    }
    try {
      // Without a turn in between, in which a holder that has woken up could release it to another process.
      if (isStale(this.#inspect(this.#path))) rmSync(this.#path, { force: true });
      return true;
    } finally {
      await rm(guard, { force: true });
    }
  }

  /** Who holds a lock; undefined if nobody does. */
  #inspect(path: string): HeldLock | undefined {
    const content = read(path);
    // Of a link itself: one that leads nowhere holds the lock too, because nothing can be created at its place.
    const modified = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (modified === undefined) return undefined;
    const holder = parse(content);
    const running = holder && isRunning(holder);
    // Another machine's clock need not agree with this one's, but both write to the same file system.
    if (running === undefined) this.#clockOffset ??= clockOffset(path);
    const silence = Math.max(0, Date.now() + (this.#clockOffset ?? 0) - modified);
    if (running) return { holder, silence, staleIn: undefined };
    return { holder, silence, staleIn: running === false ? 0 : Math.max(0, this.#times.staleAfter - silence) };
  }
}

function isStale(held: HeldLock | undefined): boolean {
  return held?.staleIn === 0;
}

/** Sends heartbeats until the returned function is called. */
function startHeartbeat(path: string, content: string, interval: number): () => void {
  let worker: Worker | undefined;
  const timer = setInterval(() => {
    beat(path, content);
    // Most locks are held for so short a time that they need no thread.
    worker ??= startWorker({ path, content, interval });
  }, interval);
  timer.unref();
  return () => {
    clearInterval(timer);
    void worker?.terminate();
  };
}

/** A thread that sends heartbeats while this one computes for minutes. Where threads are not allowed, the timer must do. */
function startWorker(workerData: object): Worker | undefined {
  try {
    const worker = new Worker(new URL('./heartbeat-worker.js', import.meta.url), { workerData, execArgv: [] });
    worker.on('error', () => {}).unref();
    return worker;
  } catch {
    return undefined;
  }
}

/** Creates the lock file unless it exists. */
function create(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Compares the clock of a path's file system with that of this machine. */
function clockOffset(path: string): number {
  const probe = temporaryName(path);
  const file = openSync(probe, 'wx');
  try {
    writeSync(file, '.');
    return fstatSync(file).mtimeMs - Date.now();
  } finally {
    closeSync(file);
    rmSync(probe, { force: true });
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function parse(content: string | undefined): LockRecord | undefined {
  try {
    const record = JSON.parse(content ?? '') as Partial<LockRecord> | null;
    return typeof record?.pid === 'number' && typeof record.host === 'string' ? (record as LockRecord) : undefined;
  } catch {
    return undefined;
  }
}
