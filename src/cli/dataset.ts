import { existsSync } from 'node:fs';
import type { SingleBar } from 'cli-progress';
import type { Backend } from '../backends/backend.ts';
import { type Dataset, type DatasetChoice, type DatasetEvent, loadDataset } from '../dataset/load.ts';
import { DataError } from '../errors.ts';
import type { RunDirectory } from '../training/run-directory.ts';
import type { SavedRun } from '../training/saved-run.ts';
import { makeBar } from './bar.ts';
import * as format from './format.ts';
import { type Io, painter } from './io.ts';

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
  const download = new DownloadReporter(io, progress && !quiet && io.stderr.isTTY === true);
  let dataset: Dataset;
  try {
    const onEvent = (event: DatasetEvent) => download.show(event);
    const imageSet = (count: number) => backend.imageSet(count);
    dataset = await loadDataset({ choice, path, env: io.env, cwd: io.cwd(), signal, onEvent, imageSet });
  } finally {
    download.clear();
  }
  if (dataset.fallback !== undefined) {
    const paint = painter(io.stderr, io.env);
    io.stderr.write(
      `${paint(['yellow', 'bold'], 'WARNING: these are synthetic stand-in images, not CIFAR-10.')}\n` +
        `Reason: ${dataset.fallback}.\n` +
        'Put the images into ./data or name them with --data PATH.\n' +
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

/** A bar with bytes, rate and time left on a terminal; without one, a line at the start and one at the end. */
class DownloadReporter {
  readonly #io: Io;
  readonly #showsBar: boolean;
  #bar: SingleBar | undefined;
  #started = 0;

  constructor(io: Io, showsBar: boolean) {
    this.#io = io;
    this.#showsBar = showsBar;
  }

  show(event: DatasetEvent): void {
    switch (event.kind) {
      case 'download-started':
        this.#started = performance.now();
        this.#io.stderr.write(
          `downloading CIFAR-10 (170 MB) from ${event.url}\n(to start without it, stop this and add --dataset synthetic)\n`,
        );
        return;
      case 'download-progress':
        if (this.#showsBar) this.#draw(event.received, event.total);
        return;
      case 'download-finished':
        this.clear();
        this.#io.stderr.write(`downloaded and verified: ${event.path}\n`);
        return;
    }
  }

  clear(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  #draw(received: number, total: number | undefined): void {
    if (!this.#bar) {
      const amounts = total === undefined ? '{got}' : `{bar} {got} of ${format.megabytes(total)}`;
      const left = total === undefined ? '' : '  {left} left';
      this.#bar = makeBar(this.#io.stderr, `${amounts}  {rate}/s${left}`);
      this.#bar.start(total ?? received, 0, { got: '', rate: '', left: '' });
    }
    const rate = received / ((performance.now() - this.#started) / 1000);
    this.#bar.update(received, {
      got: format.megabytes(received),
      rate: format.megabytes(rate),
      left: total === undefined ? '' : format.seconds((total - received) / rate),
    });
  }
}
