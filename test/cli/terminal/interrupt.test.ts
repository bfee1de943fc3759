import { spawn, spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { exitCodeOf, handleSignals, interruptible, TIME_LIMIT } from '../../../src/cli/terminal/interrupt.ts';
import type { Io } from '../../../src/cli/terminal/io.ts';
import { temporaryFolder } from '../../support/files.ts';

const isWindows = process.platform === 'win32';
const NUMBERS: Readonly<Record<string, number>> = { ...constants.signals, SIGBREAK: constants.signals.SIGINT };
/** Those that this system has. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGBREAK'].filter(
  (name) => name in constants.signals,
);

function fakeProcess(values: object = {}) {
  const kills: unknown[] = [];
  const exits: number[] = [];
  const process = Object.assign(new EventEmitter(), {
    env: {},
    pid: 4711,
    kill: (pid: number, signal: string) => kills.push([pid, signal]),
    exit: (code: number) => exits.push(code),
    ...values,
  });
  return { process, kills, exits, io: process as unknown as Io };
}

function fakeClock() {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

describe('interruptible', () => {
  it.each(SIGNALS)('%s aborts the work; the exit code is 128 and its number', async (signal) => {
    const { process, exits, io } = fakeProcess();
    const seen: string[] = [];
    await interruptible(
      io,
      async (aborted) => {
        expect(aborted.aborted).toBe(false);
        process.emit(signal, signal);
        expect(aborted.aborted).toBe(true);
        expect(exitCodeOf(aborted)).toBe(128 + NUMBERS[signal]);
      },
      (why) => seen.push(why),
    );
    expect(seen).toEqual([signal]);
    expect(exits).toEqual([]);
    expect(process.listenerCount(signal)).toBe(0);
  });

  it('aborts the work when its time is up, and not later', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const { io } = fakeProcess();
    const seen: string[] = [];
    const work = async (signal: AbortSignal) => {
      vi.advanceTimersByTime(59_999);
      expect(signal.aborted).toBe(false);
      vi.advanceTimersByTime(1);
      expect([signal.aborted, signal.reason, exitCodeOf(signal)]).toEqual([true, TIME_LIMIT, 124]);
    };
    await interruptible(io, work, (why) => seen.push(why), 60);
    expect(seen).toEqual([TIME_LIMIT]);
    await interruptible(io, async () => {}, undefined, 60);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('ends the process at the second %s', async (signal, code) => {
    fakeClock();
    const { process, kills, exits, io } = fakeProcess();
    await interruptible(io, async () => {
      process.emit('SIGHUP', 'SIGHUP');
      // The same Ctrl-C, forwarded by npx.
      process.emit(signal, signal);
      vi.advanceTimersByTime(1001);
      for (const patient of ['SIGHUP', 'SIGUSR1', 'SIGUSR2']) process.emit(patient, patient);
      expect([kills, exits]).toEqual([[], []]);
      process.emit(signal, signal);
    });
    // The fake process survives its kill, as the first process of a container does.
    expect([kills, exits]).toEqual([isWindows ? [] : [[4711, signal]], [code]]);
  });

  it.skipIf(isWindows)('ends a process at the second Ctrl-C even if one of its threads is stuck', async () => {
    const fifo = path.join(temporaryFolder(), 'fifo');
    spawnSync('mkfifo', [fifo]);
    const script = fileURLToPath(new URL('../../support/stuck-process.mjs', import.meta.url));
    const child = spawn(process.execPath, [script, fifo], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      child.kill('SIGINT');
    });
    expect(await once(child, 'close')).toEqual([null, 'SIGINT']);
    expect(output).toBe('reading\nstopping\n');
  });

  it('ignores SIGHUP under nohup, inside and outside of its work', async () => {
    const { process, kills, exits, io } = fakeProcess({ env: { _: '/usr/bin/nohup' } });
    handleSignals(io);
    expect(process.emit('SIGHUP', 'SIGHUP')).toBe(true);
    await interruptible(io, async (aborted) => {
      expect(process.emit('SIGHUP', 'SIGHUP')).toBe(true);
      expect(aborted.aborted).toBe(false);
    });
    expect([kills, exits]).toEqual([[], []]);
  });
});

describe.skipIf(isWindows)('outside of interruptible', () => {
  it('SIGUSR1 ends the process instead of opening the debugger', async () => {
    const { process, kills, io } = fakeProcess();
    handleSignals(io);
    await interruptible(io, async (aborted) => {
      process.emit('SIGUSR1', 'SIGUSR1');
      expect(aborted.aborted).toBe(true);
    });
    expect(kills).toEqual([]);
    process.emit('SIGUSR1', 'SIGUSR1');
    expect(kills).toEqual([[4711, 'SIGUSR1']]);
    expect(process.listenerCount('SIGTERM')).toBe(0);
  });

  it.each(SIGNALS)('%s ends the first process of a container', (signal) => {
    const { process, exits, io } = fakeProcess({ pid: 1 });
    handleSignals(io);
    process.emit(signal, signal);
    expect(exits).toEqual([128 + NUMBERS[signal]]);
  });
});
