import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { Backend } from '../../backends/backend.ts';
import type { Config } from '../../config/config.ts';
import { isFullSet } from '../../dataset/cifar10.ts';
import type { Dataset } from '../../dataset/load.ts';
import { DataError, UsageError } from '../../errors.ts';
import { weightsNamedBy } from '../../runs/find-run.ts';
import { type OpenedRun, openRun, type RecordedRun, readRun } from '../../runs/open-run.ts';
import type { SavedRun } from '../../runs/record.ts';
import type { Checkpoint } from '../../training/progress.ts';
import { type Io, printNote } from '../terminal/io.ts';
import { type BackendFlags, openBackend } from './backend.ts';
import { flagOf } from './field-names.ts';
import { flagsOf, readConfig } from './hyperparameters.ts';
import { type LoadOptions, load } from './images.ts';
import { parseOption } from './option.ts';
import { type ImageFlags, WEIGHTS } from './shared-options.ts';

/** Starts the backend that the run was trained on, unless the flags name another. */
export function openBackendOf(
  { config, environment }: SavedRun,
  flags: BackendFlags & { readonly quiet?: true },
  io: Io,
): Promise<Backend> {
  return openBackend(io, flags, config.precision, environment.backend);
}

export type ImagePlace = Pick<LoadOptions, 'choice' | 'path' | 'trust'>;

/** Where to find the images of a run: at --data, or else at the path that the run was trained on. Their number may be that
 *  of the run, or any with --trust.
 *  @throws DataError if that path no longer exists; UsageError for flags that have no effect on generated images. */
export function imagePlaceOf({ directory, record }: RecordedRun, { data, trust }: ImageFlags): ImagePlace {
  const { name, source, images } = record.dataset;
  if (name === 'synthetic') {
    const given = [data !== undefined ? ['--data'] : [], trust ? ['--trust'] : []].flat();
    if (given.length === 0) return { choice: name };
    throw new UsageError(`${directory.path} was trained on generated images; leave out ${given.join(' and ')}`);
  }
  if (data === undefined && !existsSync(source)) {
    throw new DataError(
      `the images of ${directory.path} are no longer in ${source}; give their new path with --data PATH`,
    );
  }
  return { choice: name, path: data ?? source, trust: trust || (images && !isFullSet(images)) };
}

/** Returns a note if a dataset is not the one that a run was trained on; undefined if it is. */
export function differenceOf({ directory, record }: RecordedRun, { source, sha256 }: Dataset): string | undefined {
  if (sha256 === record.dataset.sha256) return undefined;
  return `${source} does not hold the images that ${directory.path} was trained on`;
}

/** Options of a command that reads the images of a run. */
export type ImageOptions = Omit<LoadOptions, 'choice' | 'path' | 'trust'> & ImageFlags;

/** Loads the images that a run was trained on, or those at --data, with a note on stderr if they differ. */
export async function loadImagesOf(run: RecordedRun, options: ImageOptions, io: Io): Promise<Dataset> {
  const dataset = await load(io, { ...options, ...imagePlaceOf(run, options) });
  const difference = differenceOf(run, dataset);
  if (difference !== undefined) printNote(io, difference);
  return dataset;
}

/** Checks that no option contradicts the configuration of a run.
 *  @param allowed hyperparameters that may still be given. @param others further options that were given but may not be.
 *  @throws UsageError that names the options to leave out. */
export function expectNoConfig(
  folder: string,
  command: Command,
  { allowed = [], others = [] }: { allowed?: readonly (keyof Config)[]; others?: readonly string[] } = {},
): void {
  const given = Object.keys(flagsOf(command)) as (keyof Config)[];
  const extra = [...given.filter((key) => !allowed.includes(key)).map(flagOf), ...others];
  if (command.opts<{ readonly config?: string }>().config !== undefined) extra.push('--config');
  if (extra.length === 0) return;
  throw new UsageError(`the configuration comes from the run ${folder}; leave out ${extra.join(', ')}`);
}

export interface WeightsFlags extends BackendFlags {
  readonly weights?: string;
}

/** Loads the model of a saved run.
 *  @throws UsageError if the folder does not hold a run, or for an unknown --weights. */
export async function openModel(folder: string, flags: WeightsFlags, io: Io): Promise<OpenedRun> {
  const weights = parseOption('--weights', flags.weights ?? weightsNamedBy(folder), WEIGHTS);
  return openRun(folder, { weights, backend: (record) => openBackendOf(record, flags, io) });
}

/** Reads a run for a command that takes its last weights. @throws UsageError if the path names the best ones. */
export async function readLast(given: string): Promise<RecordedRun> {
  const run = await readRun(given);
  if (weightsNamedBy(given) !== 'best') return run;
  throw new UsageError(
    `${given} has the best weights, but this command takes the last ones; give the run directory, ${run.directory.path}`,
  );
}

/** Options that `gradcheck` and `doctor` share, besides the hyperparameters. */
export interface CheckOptions extends ImageFlags {
  readonly json?: true;
  readonly quiet?: true;
}

/** The subject of a check: a saved run with its last weights, or an untrained configuration. */
export interface Subject {
  readonly config: Config;
  readonly run?: RecordedRun & { readonly checkpoint: Checkpoint };
}

/** Opens a run, or reads a configuration from flags, environment and --config file.
 *  @param allowed hyperparameters that may be given together with a run.
 *  @param allowNotFinite whether a run is opened even if a weight is NaN or infinite.
 *  @throws UsageError if other hyperparameters are given together with a run, or if the folder does not hold a run. */
export async function readSubject(
  folder: string | undefined,
  command: Command,
  io: Io,
  { allowed = [], allowNotFinite = false }: { allowed?: readonly (keyof Config)[]; allowNotFinite?: boolean } = {},
): Promise<Subject> {
  if (folder === undefined) return { config: await readConfig(command, io.env) };
  expectNoConfig(folder, command, { allowed });
  const run = await readLast(folder);
  const { config } = run.record;
  return { config, run: { ...run, checkpoint: await run.directory.load('last', config, { allowNotFinite }) } };
}

/** Starts the backend that a run was trained on, or the default for a configuration, unless the flags name another. */
export function openBackendOfSubject(
  { config, run }: Subject,
  flags: BackendFlags & { readonly quiet?: true },
  io: Io,
): Promise<Backend> {
  return run ? openBackendOf(run.record, flags, io) : openBackend(io, flags, config.precision);
}

/** Loads the images that a run was trained on, or those of the configuration's dataset. */
export function loadImagesOfSubject({ config, run }: Subject, options: ImageOptions, io: Io): Promise<Dataset> {
  if (run) return loadImagesOf(run, options, io);
  const { data, ...others } = options;
  return load(io, { ...others, choice: config.dataset, path: data });
}
