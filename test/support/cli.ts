import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Path of the command-line program, which `npm test` builds first. */
export const NN_TRAIN = fileURLToPath(new URL('../../bin/nn-train.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  /** User to run as; requires root. */
  readonly uid?: number | undefined;
  /** Called with the process once it has started. */
  readonly onStart?: (child: ChildProcess) => void;
  /** Called with the complete stdout so far whenever it grows. */
  readonly onOutput?: (stdout: string, child: ChildProcess) => void;
}

const missingFolder = (name: string) => path.join(tmpdir(), `nn-train-no-${name}`);

/** Runs `nn-train` in a separate process, without the caller's environment and without images in the cache. */
export function nnTrain(args: readonly string[], options: CliOptions = {}): Promise<Finished> {
  const { cwd = tmpdir(), env, uid, onStart, onOutput } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [NN_TRAIN, ...args], {
      cwd,
      env: {
        PATH: process.env.PATH,
        XDG_CACHE_HOME: missingFolder('cache'),
        KERAS_HOME: missingFolder('keras'),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      onOutput?.(stdout, child);
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
    onStart?.(child);
  });
}

/** Options of a run on synthetic images that takes about a second. */
export const QUICK = ['--dataset', 'synthetic', '--train-limit', '600', '--val', '100', '--batch-size', '64'];
