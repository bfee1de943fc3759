import type { SingleBar } from 'cli-progress';
import { EXIT } from '../../errors.ts';
import type { Io } from './io.ts';

/** Why a command is to stop: a signal of the system, or the reader of stdout has gone. */
export type Interruption = 'SIGINT' | 'SIGTERM' | 'EPIPE';

const EXIT_CODE: Record<Interruption, number> = {
  SIGINT: EXIT.interrupted,
  SIGTERM: EXIT.terminated,
  EPIPE: EXIT.done,
};

/** A terminal sends Ctrl-C to npx and to us, and npx hands it on: what comes within a second is the same press again. On a
 *  busy machine it takes npx that long, and to quit then would cost the checkpoint. */
const ECHO_MS = 1000;

/** Turns the first Ctrl-C (or SIGTERM, or a closed pipe) into an aborted signal, and the second one into an immediate end,
 *  for as long as the work lasts. */
export async function interruptible<T>(
  io: Io,
  work: (signal: AbortSignal) => Promise<T>,
  onInterrupt: (why: Interruption) => void = () => {},
): Promise<T> {
  const controller = new AbortController();
  let first = 0;
  const stop = (why: Interruption) => {
    if (controller.signal.aborted) {
      if (why !== 'EPIPE' && performance.now() - first > ECHO_MS) io.exit(EXIT_CODE[why]);
      return;
    }
    first = performance.now();
    controller.abort(why);
    onInterrupt(why);
  };
  const onStreamError = (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') stop('EPIPE');
  };
  io.on('SIGINT', stop).on('SIGTERM', stop);
  io.stdout.on('error', onStreamError);
  try {
    return await work(controller.signal);
  } finally {
    io.off('SIGINT', stop).off('SIGTERM', stop);
    io.stdout.off('error', onStreamError);
  }
}

/** The exit code of a command that was stopped by this signal. */
export function exitCodeOf(signal: AbortSignal): number {
  return EXIT_CODE[signal.reason as Interruption];
}

/** Does work that may be left at any time, as it leaves nothing behind, and takes its bar off the screen whatever happens.
 *  Resolves to the exit code. @param work rejects with the reason of its signal once that is aborted. */
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
