import path from 'node:path';
import type { Backend } from '../backends/backend.ts';
import { type Config, parseConfig, resolveConfig } from '../config/config.ts';
import { CLASSES } from '../dataset/cifar10.ts';
import type { Dataset } from '../dataset/load.ts';
import { syntheticDataset } from '../dataset/synthetic.ts';
import { UsageError } from '../errors.ts';
import { buildModel, type Model } from '../models/model.ts';
import type { Progress } from '../training/progress.ts';
import { writeParameters } from '../training/restore.ts';
import type { Environment } from './environment.ts';
import type { RunDirectory, Weights } from './run-directory.ts';

/** Enough images for testing; a run may have trained on more at a time, at a cost in memory. */
const LARGEST_BATCH = 1000;

/** What config.json of a run holds. */
export interface RunRecord {
  readonly config: Partial<Config>;
  readonly dataset: Pick<Dataset, 'name' | 'source' | 'sha256'>;
  readonly environment: Environment;
}

/** What config.json of a run says, with the defaults of fields that have no effect filled in. */
export type SavedRun = Omit<RunRecord, 'config'> & { readonly config: Config };

/** @throws UsageError if config.json is not one of a run. */
export async function readRunRecord(run: RunDirectory): Promise<SavedRun> {
  const record = (await run.config()) as Partial<RunRecord> | null;
  const origin = path.join(run.path, 'config.json');
  const names: readonly unknown[] = ['cifar10', 'synthetic'];
  if (!record?.environment || !names.includes(record.dataset?.name)) {
    throw new UsageError(`${origin} is not the configuration of a run`);
  }
  // Runs that say nothing of it are from before there was a choice.
  const config = resolveConfig({ precision: 'float32', ...parseConfig(record.config, origin) });
  return { config, dataset: record.dataset!, environment: record.environment };
}

/** The names of the classes that a run tells apart, in the order of its scores. */
export function classesOf({ dataset }: Pick<SavedRun, 'dataset'>): readonly string[] {
  return dataset.name === 'cifar10' ? CLASSES : syntheticDataset({ trainCount: 0, testCount: 0 }).classes;
}

/** The trained model of a run.
 *  @param weights of the last checkpoint or of the best epoch.
 *  @param known what config.json says, where the caller has read it already. */
export async function loadRun(
  run: RunDirectory,
  backend: Backend,
  weights: Weights,
  known?: SavedRun,
): Promise<{ model: Model; record: SavedRun; progress: Progress }> {
  const record = known ?? (await readRunRecord(run));
  const { progress, tensors } = await run.load(weights);
  const model = buildModel(backend, record.config, Math.min(record.config.batchSize, LARGEST_BATCH));
  writeParameters(model, tensors);
  return { model, record, progress };
}
