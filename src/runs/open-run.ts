import type { Backend } from '../backends/backend.ts';
import { createBackend } from '../backends/select.ts';
import { buildModel, type Model } from '../models/model.ts';
import type { Progress } from '../training/progress.ts';
import { writeParameters } from '../training/restore.ts';
import { weightsNamedBy } from './find-run.ts';
import { classesOf, readRunRecord, type SavedRun } from './record.ts';
import { RunDirectory, type Weights } from './run-directory.ts';

/** Maximum batch size of a loaded model: enough for testing. Larger batches, if the run used them, would only cost memory. */
const MAX_BATCH_SIZE = 1000;

/** A run directory and its config.json. */
export interface RecordedRun {
  readonly directory: RunDirectory;
  readonly record: SavedRun;
}

/** A saved run with its model, ready for images. */
export interface OpenedRun extends RecordedRun {
  readonly model: Model;
  /** Progress at the checkpoint that the weights are from. */
  readonly progress: Progress;
  /** Class names, in the order of the logits. */
  readonly classes: readonly string[];
  readonly weights: Weights;
  /** The backend of the model. The caller closes it. */
  readonly backend: Backend;
}

/** Options of `openRun`. */
export interface OpenRunOptions {
  /** Weights of the last checkpoint, or of the epoch with the best validation accuracy. Default: last, or best if
   *  `best.safetensors` is given as the run. */
  readonly weights?: Weights | undefined;
  /** A backend, or a function that starts one. By default one of the kind and precision that the run was trained on. */
  readonly backend?: Backend | ((record: SavedRun) => Promise<Backend>) | undefined;
}

/** Opens a saved run and loads its model, for batches of at most 1000 images.
 *  @param folder of the run, or a file in it.
 *  @throws UsageError if the folder does not hold a run; FileError if a file cannot be read; UserError if a file is damaged,
 *  if `weights` is best and there are none, or if the backend does not start; DivergedError if a weight is NaN or infinite. */
export async function openRun(folder: string, options: OpenRunOptions = {}): Promise<OpenedRun> {
  const { weights = weightsNamedBy(folder) ?? 'last', backend: given = startTrainingBackend } = options;
  const run = await readRun(folder);
  const backend = typeof given === 'function' ? await given(run.record) : given;
  try {
    return { ...run, classes: classesOf(run.record), weights, backend, ...(await loadModel(run, backend, weights)) };
  } catch (error) {
    if (backend !== given) backend.close();
    throw error;
  }
}

/** Reads the config.json of a run. @throws UsageError if the folder does not hold a run; FileError if it cannot be read. */
export async function readRun(folder: string): Promise<RecordedRun> {
  const directory = await RunDirectory.open(folder);
  return { directory, record: await readRunRecord(directory) };
}

/** Loads the trained model of a run.
 *  @throws UserError or FileError if a file is missing, unreadable or damaged; DivergedError if a weight is NaN or infinite. */
export async function loadModel(
  { directory, record }: RecordedRun,
  backend: Backend,
  weights: Weights,
): Promise<Pick<OpenedRun, 'model' | 'progress'>> {
  const { progress, tensors } = await directory.load(weights, record.config);
  const model = buildModel(backend, record.config, Math.min(record.config.batchSize, MAX_BATCH_SIZE));
  writeParameters(model, tensors, `the checkpoint of ${directory.path}`);
  return { model, progress };
}

function startTrainingBackend({ config, environment }: SavedRun): Promise<Backend> {
  return createBackend({ backend: environment.backend, precision: config.precision });
}
