import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { thisProcess } from '../../src/lock/holder.ts';
import { type HeldLock, Lock, type LockOptions, withLock } from '../../src/lock/lock.ts';
import { rejection, scratchFolder } from '../support/cifar10.ts';

const scratch = scratchFolder();
const HOUR_MS = 3_600_000;
const isLinux = process.platform === 'linux';
const TIMES = { heartbeatInterval: 20, staleAfter: HOUR_MS, pollInterval: 2, remindInterval: 10_000 };
let path: string;

beforeEach(() => {
  path = join(mkdtempSync(join(scratch, 'lock-')), 'lock');
});

function lock<T>(work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  return withLock(path, work, { times: TIMES, ...options });
}

/** Writes the lock file of this process or, with `other`, of another one. @param age milliseconds since its last heartbeat. */
function leaveLock(other: object, age = 0): void {
  writeFileSync(path, JSON.stringify({ ...thisProcess(), id: 'other', ...other }));
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

/** PID and start of a running process. */
async function runningProcess() {
  const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)']);
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const started = readFileSync(`/proc/${child.pid}/stat`, 'latin1').split(') ')[1].split(' ')[19];
  return { child, record: { pid: child.pid!, started } };
}

/** PID and start of a process that has ended and that its parent does not ask about. */
async function zombie() {
  // The shell would ask about it, so it ends only when the shell has become another program.
  const untilNotShell = '(until grep -q sleep /proc/$$/comm; do :; done)';
  const parent = spawn('sh', ['-c', `${untilNotShell} & echo $!; exec sleep 1000`]);
  onTestFinished(() => void parent.kill('SIGKILL'));
  const pid = Number(await once(parent.stdout, 'data'));
  const stat = () => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
  while (stat()[0] !== 'Z') await sleep(1);
  return { pid, started: stat()[19] };
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

test.runIf(isLinux)('a waiting process is told repeatedly who holds the lock, and can be aborted', async () => {
  const { child, record } = await runningProcess();
  leaveLock(record);
  const before = readFileSync(path, 'utf8');
  const reported: unknown[] = [];
  const controller = new AbortController();
  const reason = new Error('Ctrl-C');
  const onWait = (current: unknown) => reported.push(current) === 3 && controller.abort(reason);
  const times = { ...TIMES, remindInterval: 5 };
  const waiting = lock(async () => 'done', { onWait, signal: controller.signal, times });
  expect(await rejection(waiting)).toBe(reason);
  const holder = { pid: child.pid, host: hostname() };
  expect(reported).toEqual([holder, holder, holder]);
  expect(readFileSync(path, 'utf8')).toBe(before);

  // When the holder dies, the waiting process gets the lock.
  const next = lock(async () => 'done', { onWait: () => child.kill('SIGKILL') });
  expect(await next).toBe('done');
  expect(existsSync(path)).toBe(false);
});

test.each([
  ['of a dead process', true, () => leaveLock({ pid: deadPid() })],
  ['of a dead process whose PID another one has now', isLinux, () => leaveLock({ started: '1' })],
  ['of a dead process that is still in the process table', isLinux, async () => leaveLock(await zombie())],
  ['of another machine without a heartbeat', true, () => leaveLock({ host: 'elsewhere' }, 2 * HOUR_MS)],
  ['from before a reboot, without a heartbeat', true, () => leaveLock({ boot: 'before' }, 2 * HOUR_MS)],
  ['of another container without a heartbeat', true, () => leaveLock({ pidNamespace: 'other' }, 2 * HOUR_MS)],
  ['that was truncated while being written', true, () => writeFileSync(path, '')],
] as const)('a lock %s passes to exactly one waiting process', async (_, applies, prepare) => {
  if (!applies) return;
  await prepare();
  if (readFileSync(path, 'utf8') === '') utimesSync(path, 0, 0);
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

test.each([
  ['of another machine', () => leaveLock({ pid: deadPid(), host: 'elsewhere' })],
  ['of another machine of the same name, or from before a reboot', () => leaveLock({ pid: deadPid(), boot: 'other' })],
  ['of another container', () => leaveLock({ pid: deadPid(), pidNamespace: 'other' })],
  ['of a container whose first process has the PID of this one', () => leaveLock({ pidNamespace: 'other' })],
])('a lock %s is respected while its heartbeat is recent', async (_, prepare) => {
  prepare();
  await waitInVain();
  expect(existsSync(path)).toBe(true);
  // This machine's clock is wrong: it is compared with that of the disk.
  const now = vi.spyOn(Date, 'now').mockImplementation(() => performance.timeOrigin + performance.now() + 9 * HOUR_MS);
  onTestFinished(() => now.mockRestore());
  await waitInVain();
});

test.runIf(isLinux)('a lock of a process that is suspended is respected however old its heartbeat', async () => {
  leaveLock((await runningProcess()).record, 2 * HOUR_MS);
  await waitInVain();
});

test('a link that leads nowhere is respected until it is stale', async () => {
  symlinkSync('nowhere', path);
  expect(await Lock.take(path, TIMES)).toMatchObject({ holder: undefined });
  const lock = (await Lock.take(path, { ...TIMES, staleAfter: 0 })) as Lock;
  expect(lock.isHeld()).toBe(true);
  await lock.release();
  expect(readdirSync(dirname(path))).toEqual([]);
});

test('a process that does not wait is told who holds the lock, since when, and for how long', async () => {
  const elsewhere = { pid: 1, host: 'elsewhere', since: '2026-11-26T07:00:00.000Z' };
  leaveLock(elsewhere, HOUR_MS / 2);
  const held = (await Lock.take(path, TIMES)) as HeldLock;
  expect(held.holder).toMatchObject(elsewhere);
  expect(Math.round(held.silence / 60_000)).toBe(30);
  expect(Math.round(held.staleIn! / 60_000)).toBe(30);
  expect(readdirSync(dirname(path))).toEqual(['lock']);
});

test('the holder sends heartbeats, and does not remove a lock that it has lost', async () => {
  await lock(async () => {
    const old = new Date(Date.now() - 2 * HOUR_MS);
    utimesSync(path, old, old);
    while (statSync(path).mtimeMs <= old.getTime()) await sleep(1);
    await waitInVain();
    leaveLock({ host: 'elsewhere' });
  });
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ host: 'elsewhere' });
});

test('heartbeats go on while the thread of the holder computes', async () => {
  const held = (await Lock.take(path, TIMES)) as Lock;
  utimesSync(path, 0, 0);
  await expect.poll(() => statSync(path).mtimeMs).toBeGreaterThan(0);
  utimesSync(path, 0, 0);
  const word = new Int32Array(new SharedArrayBuffer(4));
  // The thread does not return to its event loop. A test that hangs here cannot be ended by its time limit.
  const end = performance.now() + 10 * 60_000;
  while (statSync(path).mtimeMs === 0 && performance.now() < end) Atomics.wait(word, 0, 0, 1);
  expect(statSync(path).mtimeMs).toBeGreaterThan(0);
  await held.release();
  expect(readdirSync(dirname(path))).toEqual([]);
});

test('a holder knows whether it still holds the lock, and restores a lock file that was removed', async () => {
  const held = (await Lock.take(path, TIMES)) as Lock;
  expect(held.isHeld()).toBe(true);
  rmSync(path);
  expect(held.isHeld()).toBe(true);
  expect(existsSync(path)).toBe(true);
  leaveLock({ host: 'elsewhere' });
  expect(held.isHeld()).toBe(false);
  await held.release();
  expect(existsSync(path)).toBe(true);
});
