import type { ChildProcess } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { type CliOptions, type Finished, nnTrain } from './cli.ts';

/** A process of `nn-train worker`. */
export interface RunningWorker {
  readonly child: ChildProcess;
  readonly end: Promise<Finished>;
  /** What it has printed so far. */
  output(): string;
}

/** Starts a worker that trains one trial at a time on the stand-in images, and resolves once it takes trials. It ends with the
 *  test. */
export function startWorker(
  { url }: { readonly url: string },
  args: readonly string[] = [],
  options: CliOptions = {},
): Promise<RunningWorker> {
  return new Promise((resolve) => {
    const end = nnTrain(['worker', '--queue', url, '--dataset', 'synthetic', '--workers', '1', ...args], {
      hasQuickLocks: true,
      ...options,
      onStart: (child) => {
        onTestFinished(() => void child.kill('SIGKILL'));
        let text = '';
        child.stdout!.on('data', (piece) => {
          text += piece;
          resolve({ child, end, output: () => text });
        });
      },
    });
  });
}
