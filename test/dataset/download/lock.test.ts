import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { type LockOptions, withLock } from '../../../src/dataset/download/lock.ts';
import { rejection, scratchFolder } from '../../support/cifar10.ts';

const scratch = scratchFolder();
const TIMES = { beat: 20, stale: 30_000, poll: 2, remind: 10_000 };
let path: string;

beforeEach(() => {
  path = join(mkdtempSync(join(scratch, 'lock-')), 'lock');
});

function lock<T>(work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  return withLock(path, work, { times: TIMES, ...options });
}

function leave(holder: unknown, age = 0): void {
  writeFileSync(path, JSON.stringify(holder));
  const then = new Date(Date.now() - age);
  utimesSync(path, then, then);
}

/** The id of a process that is no more. */
function deadPid(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

test('one works at a time, and all of them do, whether they succeed or fail', async () => {
  let [working, most] = [0, 0];
  const jobs = Array.from({ length: 8 }, (_, n) =>
    lock(async () => {
      most = Math.max(most, ++working);
      await sleep(3);
      working--;
      if (n % 2 === 1) throw new Error(`failed ${n}`);
      return n;
    }).catch((error: Error) => error.message),
  );
  expect(await Promise.all(jobs)).toEqual([0, 'failed 1', 2, 'failed 3', 4, 'failed 5', 6, 'failed 7']);
  expect(most).toBe(1);
  expect(readdirSync(dirname(path))).toEqual([]);
});

test('whoever waits hears for whom, again and again, and can be stopped', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const holder = { pid: child.pid!, host: hostname() };
  leave(holder);
  const heard: unknown[] = [];
  const controller = new AbortController();
  const reason = new Error('Ctrl-C');
  const onWait = (now: unknown) => heard.push(now) === 3 && controller.abort(reason);
  const waiting = lock(async () => 'done', { onWait, signal: controller.signal, times: { ...TIMES, remind: 5 } });
  expect(await rejection(waiting)).toBe(reason);
  expect(heard).toEqual([holder, holder, holder]);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(holder);

  // When the holder dies, whoever waits follows.
  const next = lock(async () => 'done', { onWait: () => child.kill('SIGKILL') });
  expect(await next).toBe('done');
  expect(existsSync(path)).toBe(false);
});

test.each([
  ['of a dead process', () => leave({ pid: deadPid(), host: hostname() })],
  ['of another machine without a sign of life', () => leave({ pid: process.pid, host: 'elsewhere' }, 31_000)],
  ['of a process that sleeps or has another’s number', () => leave({ pid: process.pid, host: hostname() }, 31_000)],
  ['cut off while it was written', () => leave('', 31_000)],
])('a lock %s is taken over, by one of those who wait', async (_, prepare) => {
  prepare();
  let [working, most] = [0, 0];
  const job = async () => {
    most = Math.max(most, ++working);
    await sleep(1);
    working--;
  };
  await Promise.all(Array.from({ length: 10 }, () => lock(job)));
  expect(most).toBe(1);
  expect(readdirSync(dirname(path))).toEqual([]);
});

test('a lock of another machine is respected while it shows signs of life', async () => {
  leave({ pid: deadPid(), host: 'elsewhere' });
  const signal = AbortSignal.timeout(50);
  await rejection(lock(async () => {}, { signal }));
  expect(existsSync(path)).toBe(true);
});

test('the holder gives signs of life, and leaves a lock alone that is not its own any more', async () => {
  await lock(async () => {
    const old = new Date(Date.now() - 60_000);
    utimesSync(path, old, old);
    await sleep(5 * TIMES.beat);
    const waiting = lock(async () => 'taken', { signal: AbortSignal.timeout(20) });
    await rejection(waiting);
    leave({ pid: 1, host: 'elsewhere' });
  });
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ pid: 1, host: 'elsewhere' });
});
