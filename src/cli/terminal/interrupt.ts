import type { SingleBar } from 'cli-progress';
import { EXIT } from '../../errors.ts';
import type { Io } from './io.ts';

/** Signal that interrupts a command. */
export type Interruption = 'SIGINT' | 'SIGBREAK' | 'SIGTERM';

const EXIT_CODE: Record<Interruption, number> = {
  SIGINT: EXIT.interrupted,
  // Ctrl-Break on Windows.
  SIGBREAK: EXIT.interrupted,
  SIGTERM: EXIT.terminated,
};

/** A second signal within this time is the same Ctrl-C: a terminal sends it to npx and to us, and npx forwards it. On a busy
 *  machine npx takes that long, and to exit then would cost the checkpoint. */
const DUPLICATE_MS = 1000;

/** Runs the work with a signal that the first Ctrl-C (or SIGTERM) aborts. A second Ctrl-C exits at once. */
export async function interruptible<T>(
  io: Io,
  work: (signal: AbortSignal) => Promise<T>,
  onInterrupt: (cause: Interruption) => void = () => {},
): Promise<T> {
  const controller = new AbortController();
  let firstTime = 0;
  const stop = (cause: Interruption) => {
    if (controller.signal.aborted) {
      if (performance.now() - firstTime > DUPLICATE_MS) io.exit(EXIT_CODE[cause]);
      return;
    }
    firstTime = performance.now();
    controller.abort(cause);
    onInterrupt(cause);
  };
  io.on('SIGINT', stop).on('SIGBREAK', stop).on('SIGTERM', stop);
  try {
    return await work(controller.signal);
  } finally {
    io.off('SIGINT', stop).off('SIGBREAK', stop).off('SIGTERM', stop);
  }
}

/** Exit code of a command that this signal interrupted. */
export function exitCodeOf(signal: AbortSignal): number {
  return EXIT_CODE[signal.reason as Interruption];
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
