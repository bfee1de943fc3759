import type { Backend } from '../../backends/backend.ts';
import { type Dataset, loadDataset } from '../../dataset/load.ts';
import type { DatasetChoice } from '../../images.ts';
import { type Io, painter } from '../terminal/io.ts';
import { ownName } from '../terminal/own-name.ts';
import { DownloadProgress } from './download-progress.ts';

export interface LoadOptions {
  readonly choice: DatasetChoice;
  readonly path?: string | undefined;
  readonly progress?: boolean;
  readonly quiet?: true;
  readonly signal?: AbortSignal;
  /** Allocates the images in its own memory, so that training needs no copy. */
  readonly backend: Backend;
}

/** Loads the images, shows download progress on stderr, and warns if synthetic images replace the real ones. */
export async function load(
  io: Io,
  { choice, path, progress = true, quiet, signal, backend }: LoadOptions,
): Promise<Dataset> {
  const hint = choice === 'auto' ? '(to train without it, stop and add --dataset synthetic)' : '';
  const display = new DownloadProgress(io, { progress, quiet, hint });
  const dataset = await display.during(signal, () =>
    loadDataset({
      choice,
      path,
      env: io.env,
      cwd: io.cwd(),
      signal,
      onEvent: (event) => display.show(event),
      imageSet: (count) => backend.imageSet(count),
    }),
  );
  if (dataset.fallback !== undefined) {
    const paint = painter(io.stderr, io.env);
    io.stderr.write(
      `${paint(['yellow', 'bold'], 'WARNING: these are synthetic stand-in images, not CIFAR-10.')}\n` +
        `Reason: ${dataset.fallback}.\n` +
        `Put the images into ./data, or give their path with --data PATH; see ${ownName(io.env)} data --help.\n` +
        'To make missing images an error, use --dataset cifar10.\n\n',
    );
  }
  return dataset;
}
