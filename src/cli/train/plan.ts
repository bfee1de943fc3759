import path from 'node:path';
import type { Command } from 'commander';
import type { Backend } from '../../backends/backend.ts';
import { UsageError } from '../../errors.ts';
import { assertNotOccupied } from '../../runs/create-run-folder.ts';
import type { Environment } from '../../runs/environment.ts';
import { isRun } from '../../runs/find-run.ts';
import { expectSameArchitecture, readInitialWeights } from '../../runs/saved/initial-weights.ts';
import type { TrainOptions } from '../../runs/train.ts';
import { openBackend } from '../inputs/backend.ts';
import { flagOf } from '../inputs/field-names.ts';
import { flagsOf, readConfig } from '../inputs/hyperparameters.ts';
import { load } from '../inputs/images.ts';
import { parseOption } from '../inputs/option.ts';
import { expectNoConfig, imagePlaceOf, openBackendOf, readLast } from '../inputs/saved-run.ts';
import { type Io, printNote } from '../terminal/io.ts';
import { NAME, type RunOptions } from './options.ts';

/** What is trained, and with what. */
export type Plan = Pick<
  TrainOptions,
  'backend' | 'config' | 'dataset' | 'out' | 'name' | 'initFrom' | 'resume' | 'epochs'
>;

/** Reads the configuration and loads the images of a new run, or of a new run for each of several seeds. */
export async function planNew(
  command: Command,
  io: Io,
  signal: AbortSignal,
  seeds: readonly number[] | null,
): Promise<Plan> {
  const options = command.opts<RunOptions>();
  const config = await readConfig(command, io.env);
  const name = parseOption('--name', options.name, NAME) ?? undefined;
  if (options.out === '') throw new UsageError('--out must name a folder, got an empty string');
  if (options.out !== undefined && !options.save) {
    throw new UsageError('--no-save saves nothing, so there is nothing to put into --out; leave one of the two out');
  }
  if (options.out !== undefined) await expectRoom(options.out, seeds);
  const initFrom = options.initFrom === undefined ? undefined : await readInitialWeights(options.initFrom);
  // Before the images are loaded.
  if (initFrom) expectSameArchitecture(config, initFrom);
  const backend = await openBackend(io, options, config.precision);
  const dataset = await load(io, { ...options, choice: config.dataset, path: options.data, signal, backend });
  return { backend, config, dataset, name, initFrom, out: options.save ? options.out : null };
}

/** @throws UsageError if a run cannot be saved in the folder, or the run of a seed in its own in it. */
async function expectRoom(out: string, seeds: readonly number[] | null): Promise<void> {
  if (!seeds || (await isRun(out))) await assertNotOccupied(out);
  for (const seed of seeds ?? []) await assertNotOccupied(seedFolder(out, seed));
}

/** Folder of the run with a seed, in the folder of --out. */
export function seedFolder(out: string, seed: number): string {
  return path.join(out, `seed-${seed}`);
}

/** Reads the configuration and loads the images of a resumed run. */
export async function planResume(command: Command, io: Io, signal: AbortSignal): Promise<Plan> {
  const options = command.opts<RunOptions>();
  const given = (['out', 'name', 'initFrom'] as const).filter((key) => options[key] !== undefined).map(flagOf);
  const others = [...given, ...(options.save ? [] : ['--no-save'])];
  expectNoConfig(options.resume!, command, { allowed: ['epochs'], others });
  const run = await readLast(options.resume!);
  const { config, environment } = run.record;
  const { choice, path: source } = imagePlaceOf(run, options);
  const backend = await openBackendOf(run.record, options, io);
  warnIfBitsDiffer(io, environment, backend);
  const dataset = await load(io, { ...options, choice, path: source, trust: choice === 'cifar10', signal, backend });
  return { backend, config, dataset, resume: run.directory, epochs: flagsOf(command).epochs };
}

/** Prints a note if the backend differs, because the run then cannot end with the bits of an uninterrupted one. */
function warnIfBitsDiffer(io: Io, began: Environment, backend: Backend): void {
  if (backend.name === began.backend && (backend.info.fma === began.fma || backend.precision !== 'float32')) return;
  const name = (backendName: string, fma: boolean) => `${backendName}${fma ? ' with fused multiply-add' : ''}`;
  printNote(
    io,
    `the run began on ${name(began.backend, began.fma)} and continues on ${name(backend.name, backend.info.fma)}; ` +
      'its bits will differ from those of an uninterrupted run',
  );
}
