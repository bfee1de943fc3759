import type { Command } from 'commander';
import type { Backend } from '../../backends/backend.ts';
import type { Config } from '../../config/config.ts';
import type { Dataset } from '../../dataset/load.ts';
import { UsageError } from '../../errors.ts';
import type { Environment } from '../../runs/environment.ts';
import { readRunRecord, type SavedRun } from '../../runs/record.ts';
import { RunDirectory } from '../../runs/run-directory.ts';
import type { Checkpoint } from '../../training/progress.ts';
import type { Io } from '../terminal/io.ts';
import { flagOf } from './field-names.ts';
import { flagsOf, readConfig } from './hyperparameters.ts';
import { load, sourceOf } from './images.ts';

/** What `gradcheck` and `doctor` have in common, beside hyperparameters. */
export interface CheckOptions {
  readonly data?: string;
  readonly json?: true;
  readonly quiet?: true;
}

/** What is looked into: a saved run with its weights, or a configuration that nobody has trained yet. */
export interface Subject {
  readonly config: Config;
  readonly run?: { readonly folder: RunDirectory; readonly checkpoint: Checkpoint; readonly record: SavedRun };
}

/** @param folder a run directory, or else flags, environment, --config file and defaults say what to look into.
 *  @param allowed the hyperparameters that may be given beside a run.
 *  @throws UsageError for other ones beside a run, or if the folder is none. */
export async function readSubject(
  folder: string | undefined,
  command: Command,
  io: Io,
  allowed: readonly (keyof Config)[] = [],
): Promise<Subject> {
  if (folder === undefined) return { config: await readConfig(command, io.env) };
  const given = Object.keys(flagsOf(command)) as (keyof Config)[];
  const extra = given.filter((key) => !allowed.includes(key)).map(flagOf);
  if (command.opts<{ readonly config?: string }>().config !== undefined) extra.push('--config');
  if (extra.length > 0) {
    throw new UsageError(`the configuration is taken from the run ${folder}; leave ${extra.join(', ')} out`);
  }
  const run = await RunDirectory.open(folder);
  const record = await readRunRecord(run);
  return { config: record.config, run: { folder: run, checkpoint: await run.load('last'), record } };
}

/** The images of a subject: those that a run was trained on, or those that the configuration asks for. */
export async function loadSubject(
  { config, run }: Subject,
  io: Io,
  options: CheckOptions & { readonly signal: AbortSignal; readonly backend: Backend },
): Promise<Dataset> {
  const path = run ? sourceOf(run.folder, run.record.dataset, options.data) : options.data;
  const dataset = await load(io, { ...options, path, choice: run?.record.dataset.name ?? config.dataset });
  if (run && dataset.sha256 !== run.record.dataset.sha256) {
    io.stderr.write(`note: these are not the images that ${run.folder.path} was trained on\n`);
  }
  return dataset;
}

/** The kind of backend that a run was trained on. */
export function backendOfSubject({ run }: Subject): Environment['backend'] | undefined {
  return run?.record.environment.backend;
}
