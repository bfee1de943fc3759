import { existsSync } from 'node:fs';
import type { Backend } from '../../backends/backend.ts';
import { type Dataset, type DatasetChoice, loadDataset } from '../../dataset/load.ts';
import { DataError } from '../../errors.ts';
import type { SavedRun } from '../../runs/record.ts';
import type { RunDirectory } from '../../runs/run-directory.ts';
import { type Io, ownName, painter } from '../terminal/io.ts';
import { DownloadReporter } from './download-reporter.ts';

interface LoadOptions {
  readonly choice: DatasetChoice;
  readonly path?: string | undefined;
  readonly progress?: boolean;
  readonly quiet?: true;
  readonly signal?: AbortSignal;
  /** Where the images go: what trains on them can then do so without a copy. */
  readonly backend: Backend;
}

/** Loads the images and shows a download on stderr; says so loudly where the stand-in took the place of real images. */
export async function load(
  io: Io,
  { choice, path, progress = true, quiet, signal, backend }: LoadOptions,
): Promise<Dataset> {
  const hint = choice === 'auto' ? '(to start without it, stop this and add --dataset synthetic)' : '';
  const reporter = new DownloadReporter(io, { progress, quiet, hint });
  const dataset = await reporter.during(signal, () =>
    loadDataset({
      choice,
      path,
      env: io.env,
      cwd: io.cwd(),
      signal,
      onEvent: (event) => reporter.show(event),
      imageSet: (count) => backend.imageSet(count),
    }),
  );
  if (dataset.fallback !== undefined) {
    const paint = painter(io.stderr, io.env);
    io.stderr.write(
      `${paint(['yellow', 'bold'], 'WARNING: these are synthetic stand-in images, not CIFAR-10.')}\n` +
        `Reason: ${dataset.fallback}.\n` +
        `Put the images into ./data or name them with --data PATH; ${ownName(io.env)} data --help says more.\n` +
        'With --dataset cifar10, missing images are an error.\n\n',
    );
  }
  return dataset;
}

/** Where the images of a saved run are: where --data says, or else where they were when it was trained.
 *  @throws DataError if they are not there any more. */
export function sourceOf(run: RunDirectory, { name, source }: SavedRun['dataset'], data?: string): string | undefined {
  if (data !== undefined || name === 'synthetic') return data;
  if (existsSync(source)) return source;
  throw new DataError(`the images of ${run.path} are not in ${source} any more; name their new place with --data PATH`);
}
