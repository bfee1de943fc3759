import { type Command, Option } from 'commander';
import type { Backend, Precision } from '../../backends/backend.ts';
import { type BackendChoice, createBackend } from '../../backends/select.ts';
import { UsageError } from '../../errors.ts';
import type { Io } from '../terminal/io.ts';

/** Options that select the backend. They are not hyperparameters: they affect speed alone. */
export interface BackendFlags {
  readonly backend?: string;
  readonly threads?: string;
  readonly v8Flags: boolean;
}

const CHOICES: readonly BackendChoice[] = ['auto', 'wasm', 'reference'];

export function addBackendOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--backend <name>', 'auto, wasm (SIMD, all cores) or reference (plain loops) (default: auto)'),
    )
    .addOption(new Option('--threads <n>', 'threads of wasm, 1 to 256 (default: one for each physical core)'))
    .addOption(new Option('--no-v8-flags', 'do not use experimental features of V8'));
}

/** Starts the backend named by the flags, or else by the environment (NN_TRAIN_BACKEND, NN_TRAIN_THREADS,
 *  NN_TRAIN_V8_FLAGS=off), or else `fallback`.
 *  @throws UsageError for a value out of range. */
export async function openBackend(
  io: Io,
  flags: BackendFlags & { readonly quiet?: true },
  precision: Precision,
  fallback: BackendChoice = 'auto',
): Promise<Backend> {
  const name = flags.backend ?? (io.env.NN_TRAIN_BACKEND || fallback);
  const choice = CHOICES.find((known) => known === name);
  const originOf = (flag: string | undefined, option: string, variable: string) =>
    flag === undefined ? variable : option;
  if (!choice) {
    const origin = originOf(flags.backend, '--backend', 'NN_TRAIN_BACKEND');
    throw new UsageError(`${origin} must be one of ${CHOICES.join(', ')}, got ${name}`);
  }
  const count = flags.threads ?? (io.env.NN_TRAIN_THREADS || undefined);
  const threads = count === undefined ? undefined : Number(count);
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 256)) {
    const origin = originOf(flags.threads, '--threads', 'NN_TRAIN_THREADS');
    throw new UsageError(`${origin} must be an integer ≥ 1 and ≤ 256, got ${count}`);
  }
  const isOff = ['off', '0', 'false'].includes(io.env.NN_TRAIN_V8_FLAGS ?? '');
  const backend = await createBackend({ backend: choice, precision, threads, v8Flags: flags.v8Flags && !isOff });
  if (!flags.quiet) for (const note of backend.info.notes) io.stderr.write(`note: ${note}\n`);
  return backend;
}
