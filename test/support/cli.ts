import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The command line; `npm test` builds it first. */
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
  /** The user to run as; only root may choose. */
  readonly uid?: number | undefined;
  /** Called with the process as soon as it runs. */
  readonly onStart?: (child: ChildProcess) => void;
  /** Called with all of stdout so far, whenever there is more. */
  readonly onOutput?: (stdout: string, child: ChildProcess) => void;
}

const nowhere = (what: string) => path.join(tmpdir(), `nn-train-no-${what}`);

/** Runs `nn-train` in a process of its own, without the caller's settings and without any images in the cache. */
export function nnTrain(args: readonly string[], options: CliOptions = {}): Promise<Finished> {
  const { cwd = tmpdir(), env, uid, onStart, onOutput } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [NN_TRAIN, ...args], {
      cwd,
      env: { PATH: process.env.PATH, XDG_CACHE_HOME: nowhere('cache'), KERAS_HOME: nowhere('keras'), ...env },
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

/** Options of a run on generated images that takes about a second. */
export const QUICK = ['--dataset', 'synthetic', '--train-limit', '600', '--val', '100', '--batch-size', '64'];
