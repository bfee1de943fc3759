import type { SingleBar } from 'cli-progress';
import { exitCodeOf, interruptible } from './interrupt.ts';
import type { Io } from './io.ts';

/** Runs checks that Ctrl-C may end at any time, as they leave nothing behind, and takes their bar off the screen whatever
 *  happens. Resolves to the exit code. @param work rejects with the reason of its signal once that is aborted. */
export function runChecks(
  io: Io,
  bar: SingleBar | undefined,
  work: (signal: AbortSignal) => Promise<number>,
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
