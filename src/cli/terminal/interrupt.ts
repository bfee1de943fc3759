import { constants } from 'node:os';
import { basename } from 'node:path';
import type { SingleBar } from 'cli-progress';
import { EXIT } from '../../errors.ts';
import type { Io } from './io.ts';

/** Signals that ask a program to stop: Ctrl-C, `kill` and Docker, the closing terminal, the warning of a batch system before
 *  its time limit (two kinds), and Windows' Ctrl-Break. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGBREAK'] as const;
/** Signal that interrupts a command. */
type StopSignal = (typeof STOP_SIGNALS)[number];
/** The end of the time that a command was given. */
export const TIME_LIMIT = 'time limit';
/** What interrupts a command. */
type Interruption = StopSignal | typeof TIME_LIMIT;

/** Signals that end a program which is already stopping. The others come by themselves, and before them may have come a
 *  Ctrl-C: they are no reason to give up saving. */
const IMPATIENT: readonly string[] = ['SIGINT', 'SIGTERM', 'SIGBREAK'];

/** A second signal within this time is the same Ctrl-C: a terminal sends it to npx and to us, and npx forwards it. On a busy
 *  machine npx takes that long, and to exit then would cost the checkpoint. */
const DUPLICATE_MS = 1000;

/** Runs the work with a signal that the first Ctrl-C (or another stop signal) aborts. A second Ctrl-C ends the process.
 *  @param timeLimit seconds after which the signal is aborted as well; null for none. */
export async function interruptible<T>(
  io: Io,
  work: (signal: AbortSignal) => Promise<T>,
  onInterrupt: (cause: Interruption) => void = () => {},
  timeLimit: number | null = null,
): Promise<T> {
  const controller = new AbortController();
  let firstTime = 0;
  const stop = (cause: Interruption) => {
    if (controller.signal.aborted) {
      const isDuplicate = performance.now() - firstTime <= DUPLICATE_MS;
      if (IMPATIENT.includes(cause) && !isDuplicate) endBy(cause as StopSignal, io);
      return;
    }
    firstTime = performance.now();
    controller.abort(cause);
    onInterrupt(cause);
  };
  const signals = signalsThatStop(io);
  for (const name of signals) io.on(name, stop);
  const timer = timeLimit === null ? undefined : setTimeout(() => stop(TIME_LIMIT), 1000 * timeLimit);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    for (const name of signals) io.off(name, stop);
  }
}

/** Makes signals end the process while no command handles them, where they would not:
 *  - SIGUSR1, at which Node opens its debugger
 *  - all of them in the first process of a container, for which the kernel has no default actions.
 *
 *  And makes the process ignore SIGHUP if `nohup` started it: Node, when it starts, forgets that a signal was ignored. */
export function handleSignals(io: Io): void {
  if (isUnderNohup(io)) io.on('SIGHUP', () => {});
  for (const name of signalsThatStop(io)) {
    if (name !== 'SIGUSR1' && io.pid !== 1) continue;
    io.on(name, () => {
      if (io.listenerCount(name) === 1) endBy(name, io);
    });
  }
}

/** Ends the process by SIGHUP if that has stopped the command: when its terminal is gone, Node cannot exit without a crash. */
export function endIfHungUp(code: number, io: Io): void {
  if (code === exitCode('SIGHUP')) endBy('SIGHUP', io);
}

function signalsThatStop(io: Io): readonly StopSignal[] {
  return STOP_SIGNALS.filter((name) => name in constants.signals && !(name === 'SIGHUP' && isUnderNohup(io)));
}

/** Shells set the variable _ to the program that they start, and nohup leaves it unchanged. */
function isUnderNohup({ env }: Io): boolean {
  return basename(env._ ?? '') === 'nohup';
}

/** Ends the process at once. */
function endBy(name: StopSignal, io: Io): void {
  // By the default action of the signal. To exit, Node waits for its threads, and one of them may be stuck for good, in a file
  // of a network disk for example.
  if (process.platform !== 'win32') {
    io.removeAllListeners(name);
    io.kill(io.pid, name);
  }
  // There are no default actions on Windows, nor in the first process of a container.
  io.exit(exitCode(name));
}

/** Exit code of a command that this signal interrupted. */
export function exitCodeOf({ reason }: AbortSignal): number {
  return reason === TIME_LIMIT ? EXIT.timeLimit : exitCode(reason as StopSignal);
}

/** As shells report the end of a process by a signal. Windows' Ctrl-Break counts as Ctrl-C. */
function exitCode(cause: StopSignal): number {
  return 128 + constants.signals[cause === 'SIGBREAK' ? 'SIGINT' : cause];
}

/** Runs work that needs no cleanup when it is interrupted, and removes its bar at the end. Resolves to the exit code.
 *  @param work rejects with the reason of its signal once that is aborted. */
export function runUntilInterrupted(
  io: Io,
  work: (signal: AbortSignal) => Promise<number>,
  bar?: SingleBar,
): Promise<number> {
  const untilDone = async (signal: AbortSignal): Promise<number> => {
    try {
      return await work(signal);
    } catch (error) {
      if (signal.aborted && error === signal.reason) return exitCodeOf(signal);
      throw error;
    } finally {
      bar?.stop();
    }
  };
  return interruptible(io, untilDone, () => bar?.stop());
}
