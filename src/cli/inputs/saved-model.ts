import type { Backend } from '../../backends/backend.ts';
import type { Dataset } from '../../dataset/load.ts';
import { UsageError } from '../../errors.ts';
import type { Model } from '../../models/model.ts';
import { loadRun, readRunRecord, type SavedRun } from '../../runs/record.ts';
import { RunDirectory, type Weights } from '../../runs/run-directory.ts';
import type { Progress } from '../../training/progress.ts';
import type { Io } from '../terminal/io.ts';
import { type BackendFlags, openBackend } from './backend.ts';
import { load, sourceOf } from './images.ts';

export interface WeightsFlags extends BackendFlags {
  readonly weights: string;
}

/** The model of a saved run, ready to look at images. */
export interface SavedModel {
  readonly run: RunDirectory;
  readonly weights: Weights;
  readonly record: SavedRun;
  readonly model: Model;
  readonly progress: Progress;
  readonly backend: Backend;
}

/** Loads a run on the kind of backend that it was trained on, unless the flags name another one.
 *  @throws UsageError if the folder is no run, or for an unknown --weights. */
export async function openModel(folder: string, flags: WeightsFlags, io: Io): Promise<SavedModel> {
  const { weights } = flags;
  if (weights !== 'last' && weights !== 'best') {
    throw new UsageError(`--weights must be one of last, best, got ${weights}`);
  }
  const run = await RunDirectory.open(folder);
  const record = await readRunRecord(run);
  const backend = await openBackend(io, flags, record.config.precision, record.environment.backend);
  return { run, weights, backend, ...(await loadRun(run, backend, weights, record)) };
}

/** The images that a run was trained on, or those that --data names; a note on stderr if these are others. */
export async function loadImages(
  { run, record, backend }: SavedModel,
  data: string | undefined,
  io: Io,
): Promise<Dataset> {
  const { name, sha256 } = record.dataset;
  const dataset = await load(io, { choice: name, path: sourceOf(run, record.dataset, data), backend });
  if (dataset.sha256 !== sha256) io.stderr.write('note: these are not the images that the run was trained with\n');
  return dataset;
}
