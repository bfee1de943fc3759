import { randomUUID } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder } from './files.ts';

/** Process that holds a lock. */
export interface LockHolder {
  readonly pid: number;
  readonly host: string;
}

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called when another process holds the lock, then once per `times.remindInterval`. */
  readonly onWait?: ((holder: LockHolder) => void) | undefined;
  readonly times?: LockTimes | undefined;
}

/** Intervals in milliseconds. */
export interface LockTimes {
  /** Interval between two heartbeats of the holder. */
  readonly heartbeatInterval: number;
  /** Time without a heartbeat after which the holder is presumed dead. Many heartbeats long, because a busy machine delays
   *  them; a holder that has died on this machine is noticed at once. */
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

/** Runs `work` under an exclusive lock between processes, waiting for the lock if necessary. The lock is the file `path`:
 *  its content identifies the holder, and its modification time is the holder's last heartbeat.
 *  The lock of a dead holder, on this machine or another one that shares the disk, passes to a waiting process.
 *  Rejects with the reason of `signal` if it is aborted while waiting. */
export async function withLock<T>(path: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const { heartbeatInterval } = options.times ?? DEFAULT_TIMES;
  const content = JSON.stringify({ pid: process.pid, host: hostname(), id: randomUUID() });
  await makeFolder(dirname(path));
  await acquire(path, content, options);
  const heartbeat = setInterval(() => {
    if (read(path) === content) utimes(path, new Date(), new Date()).catch(() => {});
  }, heartbeatInterval);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    // The lock belongs to another process if this one slept so long that it was presumed dead.
    if (read(path) === content) await rm(path, { force: true });
  }
}

async function acquire(
  path: string,
  content: string,
  { signal, onWait, times = DEFAULT_TIMES }: LockOptions,
): Promise<void> {
  let remindAt = 0;
  while (!create(path, content)) {
    signal?.throwIfAborted();
    if (await removeIfStale(path, times.staleAfter)) continue;
    const holder = parse(read(path));
    if (holder && performance.now() >= remindAt) {
      onWait?.({ pid: holder.pid, host: holder.host });
      remindAt = performance.now() + times.remindInterval;
    }
    await sleep(times.pollInterval, undefined, { signal }).catch(() => {});
  }
}

/** Creates the lock file unless it exists. Name and content appear together, so a crash cannot leave an empty lock. */
function create(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the lock of a dead holder. A second lock guards the removal: of two waiting processes, the slower could
 *  otherwise remove the new lock of the faster. */
async function removeIfStale(path: string, staleAfter: number): Promise<boolean> {
  if (!isStale(path, staleAfter)) return false;
  const guard = `${path}.guard`;
  if (!create(guard, '')) {
    if (age(guard) > staleAfter) await rm(guard, { force: true });
    return false;
  }
  try {
    if (!isStale(path, staleAfter)) return false;
    await rm(path, { force: true });
    return true;
  } finally {
    await rm(guard, { force: true });
  }
}

function isStale(path: string, staleAfter: number): boolean {
  const holder = parse(read(path));
  return age(path) > staleAfter || (holder?.host === hostname() && !isAlive(holder.pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: the process exists but belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Milliseconds since the last heartbeat; 0 if the file is gone. */
function age(path: string): number {
  const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return modified === undefined ? 0 : Date.now() - modified;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function parse(content: string | undefined): LockHolder | undefined {
  try {
    return JSON.parse(content ?? '') as LockHolder;
  } catch {
    return undefined;
  }
}
