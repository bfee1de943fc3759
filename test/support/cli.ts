import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { shellWord } from '../../src/cli/terminal/shell.ts';

/** Path of the command-line program, which `npm test` builds first. */
export const NN_TRAIN = fileURLToPath(new URL('../../bin/nn-train.js', import.meta.url));

/** How the program suggests to start it again. */
export const OWN_NAME = `node ${shellWord(NN_TRAIN)}`;

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
  /** Whether its time limits are suspended, see patient.mjs: for what depends on a server, or on the time for a report. */
  readonly isPatient?: boolean;
  /** Whether the lock of a trial lasts two seconds instead of thirty, see quick-locks.mjs. */
  readonly hasQuickLocks?: boolean;
  /** Signal that the process sends itself. */
  readonly signalItself?: SignalItself | undefined;
  /** Called with the process once it has started. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** See signal-itself.mjs. */
export interface SignalItself {
  readonly signal: NodeJS.Signals;
  readonly text?: string;
  readonly operation?: number;
}

/** Makes a Node process send itself a signal. */
export function signalItself(at: SignalItself | undefined): { execArgv: string[]; env: Record<string, string> } {
  if (!at) return { execArgv: [], env: {} };
  return { execArgv: preload('signal-itself.mjs'), env: { SIGNAL_ITSELF: JSON.stringify(at) } };
}

function preload(script: string): string[] {
  return ['--import', new URL(script, import.meta.url).href];
}

const missingFolder = (name: string) => path.join(tmpdir(), `nn-train-no-${name}`);

/** Runs `nn-train` in a separate process, without the caller's environment and without images in the cache. */
export function nnTrain(args: readonly string[], options: CliOptions = {}): Promise<Finished> {
  const { cwd = tmpdir(), env, uid, isPatient, hasQuickLocks, onStart } = options;
  const execArgv = [...(isPatient ? preload('patient.mjs') : []), ...(hasQuickLocks ? preload('quick-locks.mjs') : [])];
  const signalling = signalItself(options.signalItself);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...execArgv, ...signalling.execArgv, NN_TRAIN, ...args], {
      cwd,
      env: {
        PATH: process.env.PATH,
        XDG_CACHE_HOME: missingFolder('cache'),
        KERAS_HOME: missingFolder('keras'),
        ...signalling.env,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
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
