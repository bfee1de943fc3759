import { createHash } from 'node:crypto';
import { DataError } from '../errors.ts';
import type { ImageSet } from '../images.ts';
import { ARCHIVE_URL, CLASSES, decodeBatches } from './cifar10.ts';
import { type DatasetEvent, DownloadError, type DownloadSettings, downloadCifar10 } from './download/download.ts';
import { selectSources } from './download/sources.ts';
import { cacheFolder, defaultSearchPaths, locate, type SearchOptions, type Source } from './locate.ts';
import { readSource } from './read.ts';
import { syntheticDataset } from './synthetic.ts';

export type { DatasetEvent } from './download/download.ts';

/** `auto` takes the generated stand-in where there is neither a local copy of CIFAR-10 nor a network to get one. */
export type DatasetChoice = 'auto' | 'cifar10' | 'synthetic';

export interface Dataset {
  readonly name: 'cifar10' | 'synthetic';
  /** Where the images came from: a path, or 'generated'. */
  readonly source: string;
  readonly classes: readonly string[];
  readonly train: ImageSet;
  readonly test: ImageSet;
  /** SHA-256 over train images, train labels, test images, test labels. */
  readonly sha256: string;
  /** Why the stand-in was taken, where `auto` had to (one sentence). */
  readonly fallback?: string;
}

export interface LoadOptions extends SearchOptions {
  readonly choice: DatasetChoice;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: DatasetEvent) => void) | undefined;
  /** Makes room for images, where a backend needs no copy of them; in memory of their own unless it is given. */
  readonly imageSet?: ((count: number) => ImageSet) | undefined;
  /** Where the images are downloaded from, where it is not from the usual sources. */
  readonly download?: DownloadSettings | undefined;
}

/** Loads the images: from the disk, or else downloaded into the cache, or else, where `auto` allows it, generated.
 *
 *  `auto` falls back only if there is no trace of CIFAR-10 on the disk and none can be had from the network. Images that
 *  come from there and are not the published ones are an error, as damage always is. Local files that are damaged or
 *  that were named and are not there are an error for every choice but `synthetic`, which does not look.
 *  Environment: NN_TRAIN_DATA_DIR, XDG_CACHE_HOME (see `locate`), and NN_TRAIN_CIFAR10_URL, the address of an archive
 *  that is downloaded instead of the usual sources.
 *  @throws DataError if the images are missing or damaged; UsageError if NN_TRAIN_CIFAR10_URL is no address; FileError
 *  if the cache cannot be written. Rejects with the reason of `signal` when that is aborted. */
export async function loadDataset(options: LoadOptions): Promise<Dataset> {
  options.signal?.throwIfAborted();
  if (options.choice === 'synthetic') return synthetic(options);
  const source = await locate(options);
  if (source) return cifar10(source, options);
  try {
    const path = await download(options);
    return await cifar10({ kind: 'folder', path }, options);
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error;
    if (options.choice === 'auto') return { ...synthetic(options), fallback: reasonToFallBack(options, error) };
    throw new DataError(notFound(options, error), { cause: error });
  }
}

function download({ env, signal, onEvent, download }: LoadOptions): Promise<string> {
  const sources = selectSources(env) ?? download?.sources;
  return downloadCifar10({ ...download, sources, cacheFolder: cacheFolder(env), signal, onEvent });
}

async function cifar10(source: Source, { signal, imageSet }: LoadOptions): Promise<Dataset> {
  const sets = await decodeBatches(readSource(source, signal), imageSet);
  return { name: 'cifar10', source: source.path, classes: CLASSES, ...sets, sha256: hash(sets) };
}

function synthetic({ imageSet }: LoadOptions): Dataset {
  const { classes, train, test } = syntheticDataset({ imageSet });
  return { name: 'synthetic', source: 'generated', classes, train, test, sha256: hash({ train, test }) };
}

function hash({ train, test }: { train: ImageSet; test: ImageSet }): string {
  const sha256 = createHash('sha256');
  for (const bytes of [train.images, train.labels, test.images, test.labels]) sha256.update(bytes);
  return sha256.digest('hex');
}

function reasonToFallBack({ env, cwd }: LoadOptions, error: DownloadError): string {
  return `there is no CIFAR-10 in ${defaultSearchPaths(env, cwd).join(' or ')}, and it could not be downloaded: ${error.message}`;
}

function notFound({ env, cwd }: LoadOptions, error: DownloadError): string {
  const places = ['--data (not given)', 'NN_TRAIN_DATA_DIR (not set)', ...defaultSearchPaths(env, cwd), 'the network'];
  return (
    `CIFAR-10 was not found; searched in this order: ${places.join(', ')}. The last failed: ${error.message}. ` +
    `Get ${ARCHIVE_URL} by other means and name that file with --data, or take generated images with --dataset synthetic.`
  );
}
