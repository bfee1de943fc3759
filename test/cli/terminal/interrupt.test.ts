import { EventEmitter } from 'node:events';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { exitCodeOf, interruptible } from '../../../src/cli/terminal/interrupt.ts';
import type { Io } from '../../../src/cli/terminal/io.ts';

function fakeProcess() {
  const exits: number[] = [];
  const process = Object.assign(new EventEmitter(), {
    exit: (code: number) => exits.push(code),
  });
  return { process, exits, io: process as unknown as Io };
}

describe('interruptible', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGBREAK', 130],
    ['SIGTERM', 143],
  ])('%s aborts the work, and the second one quits at once with %i', async (signal, code) => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const { process, exits, io } = fakeProcess();
    const seen: string[] = [];
    await interruptible(
      io,
      async (aborted) => {
        expect(aborted.aborted).toBe(false);
        process.emit(signal, signal);
        expect(aborted.aborted).toBe(true);
        expect(exitCodeOf(aborted)).toBe(code);
        expect(exits).toEqual([]);
        // The same Ctrl-C, forwarded by npx.
        process.emit(signal, signal);
        expect(exits).toEqual([]);
        vi.advanceTimersByTime(1001);
        process.emit(signal, signal);
        expect(exits).toEqual([code]);
      },
      (why) => seen.push(why),
    );
    expect(seen).toEqual([signal]);
    expect(process.listenerCount(signal)).toBe(0);
  });
});
