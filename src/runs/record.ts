import path from 'node:path';
import type { InferOutput } from 'valibot';
import type { Backend } from '../backends/backend.ts';
import type { Config } from '../config/config.ts';
import { effectiveConfig } from '../config/resolve.ts';
import { CLASSES } from '../dataset/cifar10.ts';
import type { Dataset } from '../dataset/load.ts';
import { syntheticDataset } from '../dataset/synthetic.ts';
import { DataError, UsageError } from '../errors.ts';
import { imageCounts } from '../images.ts';
import { field, message } from '../message.ts';
import type { RUN_RECORD } from './decode.ts';
import { describeEnvironment } from './environment.ts';
import type { RunDirectory } from './run-directory.ts';

/** Contents of a run's config.json. */
export type RunRecord = Omit<InferOutput<typeof RUN_RECORD>, 'config'> & {
  /** The hyperparameters that have an effect, resolved. */
  readonly config: Partial<Config>;
};

/** Contents of a run's config.json, with defaults for the hyperparameters that it leaves out. */
export type SavedRun = Omit<RunRecord, 'config'> & { readonly config: Config };

/** What a new run records of itself. */
export function newRecord({
  config,
  dataset,
  backend,
  name,
  initFrom,
}: {
  readonly config: Config;
  readonly dataset: Dataset;
  readonly backend: Backend;
  readonly name?: string | undefined;
  readonly initFrom?: { readonly origin: NonNullable<RunRecord['initFrom']> } | undefined;
}): RunRecord {
  return {
    config: effectiveConfig(config),
    dataset: {
      name: dataset.name,
      source: dataset.source,
      sha256: dataset.sha256,
      images: imageCounts(dataset),
    },
    environment: describeEnvironment(backend),
    ...(name !== undefined && { name }),
    ...(initFrom && { initFrom: initFrom.origin }),
  };
}

/** Reads a run's config.json.
 *  @throws FileError if it cannot be read; UsageError if it does not describe a run. */
export async function readRunRecord(run: RunDirectory): Promise<SavedRun> {
  const { decodeRecord } = await import('./decode.ts');
  return decodeRecord(await run.config(), path.join(run.path, 'config.json'));
}

/** Checks that a run is resumed with the configuration and the images that it began with. Resolves to its record.
 *  @throws UsageError if the configuration differs; DataError if the images do; what `readRunRecord` throws. */
export async function expectSameTraining(
  run: RunDirectory,
  { config, dataset }: { readonly config: Config; readonly dataset: Dataset },
): Promise<SavedRun> {
  const record = await readRunRecord(run);
  const [given, recorded] = [effectiveConfig(config), effectiveConfig(record.config)];
  // `dataset` is how the images were chosen; the images themselves are compared below.
  const keys = (Object.keys(recorded) as (keyof Config)[]).filter((key) => key !== 'dataset');
  const differing = keys.find((key) => given[key] !== recorded[key]);
  if (differing !== undefined) {
    throw new UsageError(
      message`${field(differing)} is ${String(given[differing])}, but ${String(recorded[differing])} in the run ${run.path}; a run is resumed with its own configuration, that of its config.json`,
    );
  }
  if (dataset.sha256 === record.dataset.sha256) return record;
  throw new DataError(
    message`${dataset.source} does not hold the images that ${run.path} was trained on: their SHA-256 is ${dataset.sha256}, wanted ${record.dataset.sha256}; give the path of the right ones with ${field('path')}`,
  );
}

/** Class names of a run's dataset, in the order of the logits. */
export function classesOf({ dataset }: Pick<SavedRun, 'dataset'>): readonly string[] {
  return dataset.name === 'cifar10' ? CLASSES : syntheticDataset({ trainCount: 0, testCount: 0 }).classes;
}
