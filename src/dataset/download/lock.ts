import { randomUUID } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, rm, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Who has a lock. */
export interface Holder {
  readonly pid: number;
  readonly host: string;
}

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called when somebody else has the lock, and again from time to time. */
  readonly onWait?: ((holder: Holder) => void) | undefined;
  readonly times?: LockTimes | undefined;
}

/** In milliseconds. */
export interface LockTimes {
  /** Between two signs of life of the holder. */
  readonly beat: number;
  /** Without a sign of life, after which the holder is taken for dead. */
  readonly stale: number;
  /** Between two looks at a lock that somebody else has. */
  readonly poll: number;
  /** Between two calls of `onWait`. */
  readonly remind: number;
}

const TIMES: LockTimes = { beat: 5_000, stale: 30_000, poll: 200, remind: 5_000 };

/** Does the work while no other process does the like; waits for one that does. The lock is the file `path`: its
 *  content says whose it is, its time of modification that the holder is alive.
 *  A holder that died, here or on another machine that shares the disk, is followed by whoever waits.
 *  Rejects with the reason of `signal` if that is aborted while waiting. */
export async function withLock<T>(path: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const { beat } = options.times ?? TIMES;
  const content = JSON.stringify({ pid: process.pid, host: hostname(), id: randomUUID() });
  await mkdir(dirname(path), { recursive: true });
  await acquire(path, content, options);
  const heart = setInterval(() => {
    if (read(path) === content) utimes(path, new Date(), new Date()).catch(() => {});
  }, beat);
  heart.unref();
  try {
    return await work();
  } finally {
    clearInterval(heart);
    // It is somebody else's where this process slept so long that it was taken for dead.
    if (read(path) === content) await rm(path, { force: true });
  }
}

async function acquire(path: string, content: string, { signal, onWait, times = TIMES }: LockOptions): Promise<void> {
  let remindAt = 0;
  while (!create(path, content)) {
    signal?.throwIfAborted();
    if (await removeIfStale(path, times.stale)) continue;
    const holder = parse(read(path));
    if (holder && performance.now() >= remindAt) {
      onWait?.({ pid: holder.pid, host: holder.host });
      remindAt = performance.now() + times.remind;
    }
    await sleep(times.poll, undefined, { signal }).catch(() => {});
  }
}

/** Makes the file, at one stroke with its content: nobody may die between the two. */
function create(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the lock of a dead holder. A second lock guards this, or two that wait could each remove one: the second of
 *  them the new lock of the first. */
async function removeIfStale(path: string, stale: number): Promise<boolean> {
  if (!isStale(path, stale)) return false;
  const guard = `${path}.guard`;
  if (!create(guard, '')) {
    if (age(guard) > stale) await rm(guard, { force: true });
    return false;
  }
  try {
    if (!isStale(path, stale)) return false;
    await rm(path, { force: true });
    return true;
  } finally {
    await rm(guard, { force: true });
  }
}

function isStale(path: string, stale: number): boolean {
  const holder = parse(read(path));
  return age(path) > stale || (holder?.host === hostname() && !isAlive(holder.pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: somebody else's process.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Milliseconds since the last sign of life; 0 if the file is gone. */
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

function parse(content: string | undefined): Holder | undefined {
  try {
    return JSON.parse(content ?? '') as Holder;
  } catch {
    return undefined;
  }
}
