import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { type LockOptions, withLock } from '../src/lock.ts';
import { rejection, scratchFolder } from './support/cifar10.ts';

const scratch = scratchFolder();
const HOUR_MS = 3_600_000;
const TIMES = { heartbeatInterval: 20, staleAfter: HOUR_MS, pollInterval: 2, remindInterval: 10_000 };
let path: string;

beforeEach(() => {
  path = join(mkdtempSync(join(scratch, 'lock-')), 'lock');
});

function lock<T>(work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  return withLock(path, work, { times: TIMES, ...options });
}

/** Writes a lock file as a holder would have left it. @param age milliseconds since its last heartbeat. */
function leaveLock(holder: unknown, age = 0): void {
  writeFileSync(path, JSON.stringify(holder));
  const then = new Date(Date.now() - age);
  utimesSync(path, then, then);
}

/** Waits for a lock that another process keeps, until it has been told so several times. */
async function waitInVain(): Promise<void> {
  const controller = new AbortController();
  let reports = 0;
  const onWait = () => ++reports === 5 && controller.abort(new Error('in vain'));
  const times = { ...TIMES, remindInterval: 0 };
  const error = await rejection(lock(async () => {}, { onWait, signal: controller.signal, times }));
  expect(error.message).toBe('in vain');
}

/** PID of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

test('one job runs at a time, and all of them run, whether they succeed or fail', async () => {
  let [running, maxRunning] = [0, 0];
  const jobs = Array.from({ length: 8 }, (_, n) =>
    lock(async () => {
      maxRunning = Math.max(maxRunning, ++running);
      await sleep(3);
      running--;
      if (n % 2 === 1) throw new Error(`failed ${n}`);
      return n;
    }).catch((error: Error) => error.message),
  );
  expect(await Promise.all(jobs)).toEqual([0, 'failed 1', 2, 'failed 3', 4, 'failed 5', 6, 'failed 7']);
  expect(maxRunning).toBe(1);
  expect(readdirSync(dirname(path))).toEqual([]);
});

test('a waiting process is told repeatedly who holds the lock, and can be aborted', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const holder = { pid: child.pid!, host: hostname() };
  leaveLock(holder);
  const reported: unknown[] = [];
  const controller = new AbortController();
  const reason = new Error('Ctrl-C');
  const onWait = (current: unknown) => reported.push(current) === 3 && controller.abort(reason);
  const times = { ...TIMES, remindInterval: 5 };
  const waiting = lock(async () => 'done', { onWait, signal: controller.signal, times });
  expect(await rejection(waiting)).toBe(reason);
  expect(reported).toEqual([holder, holder, holder]);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(holder);

  // When the holder dies, the waiting process gets the lock.
  const next = lock(async () => 'done', { onWait: () => child.kill('SIGKILL') });
  expect(await next).toBe('done');
  expect(existsSync(path)).toBe(false);
});

test.each([
  ['of a dead process', () => leaveLock({ pid: deadPid(), host: hostname() })],
  ['of another machine without a heartbeat', () => leaveLock({ pid: process.pid, host: 'elsewhere' }, 2 * HOUR_MS)],
  ['of a suspended process or a reused PID', () => leaveLock({ pid: process.pid, host: hostname() }, 2 * HOUR_MS)],
  ['that was truncated while being written', () => leaveLock('', 2 * HOUR_MS)],
])('a lock %s passes to exactly one waiting process', async (_, prepare) => {
  prepare();
  let [running, maxRunning] = [0, 0];
  const job = async () => {
    maxRunning = Math.max(maxRunning, ++running);
    await sleep(1);
    running--;
  };
  await Promise.all(Array.from({ length: 10 }, () => lock(job)));
  expect(maxRunning).toBe(1);
  expect(readdirSync(dirname(path))).toEqual([]);
});

test('a lock of another machine is respected while its heartbeat is recent', async () => {
  leaveLock({ pid: deadPid(), host: 'elsewhere' });
  await waitInVain();
  expect(existsSync(path)).toBe(true);
});

test('the holder sends heartbeats, and does not remove a lock that it has lost', async () => {
  await lock(async () => {
    const old = new Date(Date.now() - 2 * HOUR_MS);
    utimesSync(path, old, old);
    while (statSync(path).mtimeMs <= old.getTime()) await sleep(1);
    await waitInVain();
    leaveLock({ pid: 1, host: 'elsewhere' });
  });
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ pid: 1, host: 'elsewhere' });
});
