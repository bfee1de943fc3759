import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import path from 'node:path';
import { effectiveConfig } from '../config/resolve.ts';
import type { Dataset } from '../dataset/load.ts';
import { UserError } from '../errors.ts';
import { fileError } from '../files.ts';
import type { Model, ModelConfig } from '../models/model.ts';
import { classesOf, readRunRecord } from '../runs/record.ts';
import type { RunDirectory } from '../runs/run-directory.ts';
import type { Progress } from '../training/progress.ts';
import { isDone } from '../training/trainer.ts';
import type { TestMetrics, ViewCount } from '../training/views.ts';
import { RunHistory } from './history.ts';
import type { RunReport } from './report-data.ts';
import { testReport } from './test-report.ts';
import { weightPictures } from './weight-pictures.ts';

/** The trained model of a run and, if available, the images. */
export interface TrainedModel {
  readonly model: Model;
  /** Null if the images are not available; the report then has no test results. */
  readonly dataset: Dataset | null;
  /** Metrics of the model on the test images, if already computed. */
  readonly test?: TestMetrics | undefined;
  /** Views of each image that they are computed over otherwise; 1 by default. */
  readonly views?: ViewCount | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The files of a run directory, in the order in which a report lists them. */
const FILES = [
  'config.json',
  'metrics.jsonl',
  'steps.jsonl',
  'last.safetensors',
  'best.safetensors',
  'times.json',
  'result.json',
] as const;

/** Collects the contents of the report of a saved run.
 *
 *  @param progress of the checkpoint from which the model was loaded.
 *  @throws UserError if no epoch has ended; FileError if a file cannot be read; the signal's reason, once it is aborted. */
export async function collectRun(run: RunDirectory, progress: Progress, trained: TrainedModel): Promise<RunReport> {
  const { lastEpoch } = progress;
  if (!lastEpoch) {
    throw new UserError(
      `${run.path} has not finished an epoch, so there is nothing to report yet; train it for at least one epoch first`,
    );
  }
  const record = await readRunRecord(run);
  const classes = classesOf(record);
  return {
    name: run.path,
    title: record.name,
    state: isDone(progress, record.config, record.schedules) ? 'finished' : 'stopped',
    config: effectiveConfig(record.config),
    dataset: { ...record.dataset, classes },
    environment: record.environment,
    parameters: parametersOf(trained.model),
    stepsPerEpoch: lastEpoch.step / lastEpoch.epoch,
    plannedEpochs: record.config.epochs,
    ...(await RunHistory.read(run, progress)).reportFields,
    ...(await imageResults(record.config, classes, trained)),
    files: await filesOf(run.path),
  };
}

/** Computes the parts of a report for which the model needs images. */
export async function imageResults(
  config: ModelConfig,
  classes: readonly string[],
  { model, dataset, test, views, signal }: TrainedModel,
): Promise<Pick<RunReport, 'test' | 'pictures'>> {
  return {
    test: dataset && (await testReport(model, dataset, { metrics: test, views, signal })),
    pictures: await weightPictures(model, config, classes, dataset?.test, signal),
  };
}

export function parametersOf({ graph }: Model): RunReport['parameters'] {
  return graph.parameters.map(({ name, shape }) => ({ name, shape }));
}

async function filesOf(folder: string): Promise<RunReport['files']> {
  const names = FILES.filter((name) => existsSync(path.join(folder, name)));
  return Promise.all(names.map(async (name) => ({ name, ...(await hashFile(path.join(folder, name))) })));
}

async function hashFile(file: string): Promise<{ bytes: number; sha256: string }> {
  const sha256 = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(file)) {
      sha256.update(chunk);
      bytes += chunk.length;
    }
  } catch (error) {
    throw fileError(`cannot read ${file}`, error);
  }
  return { bytes, sha256: sha256.digest('hex') };
}
