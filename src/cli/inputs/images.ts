import type { Backend } from '../../backends/backend.ts';
import { type Dataset, loadDataset } from '../../dataset/load.ts';
import { UsageError } from '../../errors.ts';
import type { DatasetChoice } from '../../images.ts';
import { field, type Message, message } from '../../message.ts';
import { type Io, painter, printNote } from '../terminal/io.ts';
import { ownName } from '../terminal/own-name.ts';
import { DownloadProgress } from './download-progress.ts';
import { renderMessage } from './field-names.ts';

/** Prints a note on images that were found. */
export function printImageNote(note: Message, io: Io): void {
  printNote(io, renderMessage(note, io.env));
}

export interface LoadOptions {
  readonly choice: DatasetChoice;
  readonly path?: string | undefined;
  readonly trust?: boolean | undefined;
  readonly progress?: boolean;
  readonly quiet?: true;
  readonly signal?: AbortSignal;
  /** Allocates the images in its own memory, so that training needs no copy. */
  readonly backend: Backend;
}

/** @throws UsageError for an option that has no effect on generated images. */
function expectNothingToRead({ path, trust }: LoadOptions): void {
  const given = [path === undefined ? [] : field('data', path), trust ? field('trust', true) : []].flat();
  if (given.length === 0) return;
  throw new UsageError(
    message`${field('dataset', 'synthetic')} generates its images, so ${given[0]} has no effect; leave one of the two out`,
  );
}

/** Loads the images, shows download progress on stderr, and warns if synthetic images replace the real ones. */
export async function load(io: Io, options: LoadOptions): Promise<Dataset> {
  const { choice, path, trust, progress = true, quiet, signal, backend } = options;
  if (choice === 'synthetic') expectNothingToRead(options);
  const hint = choice === 'auto' ? '(to train without it, stop and add --dataset synthetic)' : '';
  const display = new DownloadProgress(io, { progress, quiet, hint });
  const dataset = await display.during(signal, () =>
    loadDataset({
      choice,
      path,
      trust,
      env: io.env,
      cwd: io.cwd(),
      signal,
      onEvent: (event) => (event.kind === 'note' ? printImageNote(event.note, io) : display.show(event)),
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
