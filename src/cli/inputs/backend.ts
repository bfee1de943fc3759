import { type Command, Option } from 'commander';
import type { Backend, Precision } from '../../backends/backend.ts';
import type { BackendChoice } from '../../backends/select.ts';
import { choice, type Field, optionalInteger } from '../../config/field.ts';
import { type Io, printNote } from '../terminal/io.ts';
import { parseOption } from './option.ts';

/** Options that select the backend. They are not hyperparameters: they affect only the speed of a run. */
export interface BackendFlags {
  readonly backend?: string;
  readonly threads?: string;
  readonly v8Flags: boolean;
}

const BACKEND = choice(['auto', 'wasm', 'reference'], {
  help: 'auto, wasm (SIMD, all cores) or reference (plain loops)',
  default: 'auto',
});
const THREADS = optionalInteger(
  { min: 1, max: 256 },
  { help: 'threads for wasm, 1 to 256', default: null, shownDefault: 'one for each physical core' },
);

/** @param threads the default number of threads, in words. */
export function addBackendOptions(command: Command, threads = THREADS.shownDefault): Command {
  return command
    .addOption(new Option('--backend <name>', `${BACKEND.help} (default: ${BACKEND.default})`))
    .addOption(new Option('--threads <n>', `${THREADS.help} (default: ${threads})`))
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
  const backendChoice = read(io, '--backend', flags.backend, { ...BACKEND, default: fallback });
  const threads = readThreads(flags, io);
  const isOff = ['off', '0', 'false'].includes(io.env.NN_TRAIN_V8_FLAGS ?? '');
  // Loaded here, since help and most commands for runs need the options of a backend but none of its 60 modules.
  const { createBackend } = await import('../../backends/select.ts');
  const backend = await createBackend({ backend: backendChoice, precision, threads, v8Flags: flags.v8Flags && !isOff });
  if (!flags.quiet) for (const note of backend.info.notes) printNote(io, note);
  return backend;
}

/** Number of threads that the flags or the environment ask for. @throws UsageError if it is out of range. */
export function readThreads({ threads }: Pick<BackendFlags, 'threads'>, io: Io): number | undefined {
  return read(io, '--threads', threads, THREADS) ?? undefined;
}

function read<T>({ env }: Io, option: '--backend' | '--threads', text: string | undefined, field: Field<T>): T {
  const variable = option.replace('--', 'NN_TRAIN_').toUpperCase();
  return text === undefined
    ? parseOption(variable, env[variable] || undefined, field)
    : parseOption(option, text, field);
}
