import { createHash } from 'node:crypto';
import { DataError, UsageError } from '../errors.ts';
import { DATASET_CHOICES, type DatasetChoice, type DatasetName, type ImageSet } from '../images.ts';
import { field, type Message, message } from '../message.ts';
import { ARCHIVE_URL, CLASSES, decodeBatches } from './cifar10.ts';
import { type DatasetEvent, type DownloadSettings, downloadCifar10, downloadFolder } from './download/download.ts';
import { DownloadError } from './download/failures.ts';
import { selectSources } from './download/sources.ts';
import { defaultSearchPaths, locate, type SearchOptions, type Source } from './locate.ts';
import { readSource } from './read.ts';
import { syntheticDataset } from './synthetic.ts';

export type { DatasetEvent } from './download/download.ts';

/** What the user should know about images that were found, such as folders that are left out. */
export interface DatasetNote {
  readonly kind: 'note';
  readonly note: Message;
}

/** The images of CIFAR-10 or of its synthetic stand-in. */
export interface Dataset {
  readonly name: DatasetName;
  /** Path that the images were read from, or 'generated'. */
  readonly source: string;
  /** Class names: a label is an index into them. */
  readonly classes: readonly string[];
  readonly train: ImageSet;
  readonly test: ImageSet;
  /** SHA-256 of training images, training labels, test images and test labels, concatenated. */
  readonly sha256: string;
  /** Reason why `auto` fell back to generated images; absent if it did not. */
  readonly fallback?: string;
}

/** Options of `loadDataset`. Default: the environment variables and the working directory of the process. */
export interface LoadOptions extends Partial<SearchOptions> {
  /** Default: auto. */
  readonly choice?: DatasetChoice | undefined;
  /** Accept any number of images that are on the disk, up to 500,000 for training and 100,000 for testing. Default: false. */
  readonly trust?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with each event of a download, and with notes on images on the disk. */
  readonly onEvent?: ((event: DatasetEvent | DatasetNote) => void) | undefined;
  /** Allocates image sets, for example in a backend's memory to save a copy; plain memory by default. */
  readonly imageSet?: ((count: number) => ImageSet) | undefined;
  /** Settings of the download; the default sources and limits if omitted. */
  readonly download?: DownloadSettings | undefined;
}

/** Loads the dataset from the disk. If it is not there, downloads it into the cache; if that fails too, `auto` generates
 *  synthetic images.
 *
 *  `auto` falls back only if no file of CIFAR-10 is on the disk and no source on the network works. Damaged local files,
 *  a missing path that the user named, and downloads that are not the published images are errors for `auto` and
 *  `cifar10`. `synthetic` neither searches nor downloads, whatever `path` is.
 *  Environment: NN_TRAIN_DATA_DIR, the folder or archive to read if no `path` is given; XDG_CACHE_HOME, the parent of the
 *  cache; KERAS_HOME, searched too; NN_TRAIN_CIFAR10_URL, an archive to download instead of the default sources.
 *  @throws DataError if the images are missing or damaged; UsageError for an unknown choice, or if NN_TRAIN_CIFAR10_URL
 *  is not a valid URL; FileError if the cache cannot be written. Rejects with the reason of `signal` if it is aborted. */
export async function loadDataset(options: LoadOptions = {}): Promise<Dataset> {
  const { choice = 'auto', path, env = process.env, cwd = process.cwd(), signal } = options;
  signal?.throwIfAborted();
  if (!DATASET_CHOICES.includes(choice)) {
    throw new UsageError(
      message`${field('choice')} must be one of ${DATASET_CHOICES.join(', ')}, got ${String(choice)}`,
    );
  }
  if (choice === 'synthetic') return synthetic(options);
  const place: SearchOptions = { path, env, cwd };
  const source = await locate(place);
  if (source) return cifar10(source, options);
  try {
    const path = await download(env, options);
    return await cifar10({ kind: 'folder', path }, options);
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error;
    if (choice === 'auto') return { ...synthetic(options), fallback: fallbackReason(place, error) };
    throw new DataError(notFound(place, error), { cause: error });
  }
}

function download(env: SearchOptions['env'], { signal, onEvent, download }: LoadOptions): Promise<string> {
  const sources = selectSources(env) ?? download?.sources;
  return downloadCifar10({ ...download, sources, env, cacheFolder: downloadFolder(env), signal, onEvent });
}

async function cifar10(source: Source, { signal, trust, onEvent, imageSet }: LoadOptions): Promise<Dataset> {
  const onNote = (note: Message) => onEvent?.({ kind: 'note', note });
  const sets = await decodeBatches(readSource(source, { signal, trust, onNote }), imageSet);
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

function fallbackReason({ env, cwd }: SearchOptions, error: DownloadError): string {
  return `CIFAR-10 was not found in ${defaultSearchPaths(env, cwd).join(' or ')} and could not be downloaded: ${error.message}`;
}

function notFound({ env, cwd }: SearchOptions, error: DownloadError): Message {
  const places = ['NN_TRAIN_DATA_DIR (not set)', ...defaultSearchPaths(env, cwd), 'the network'];
  return message`CIFAR-10 was not found; searched in this order: ${places.join(', ')}. The last failed: ${error.text}. Download ${ARCHIVE_URL} some other way and pass the file as ${field('path')}, or use generated images with ${field('choice', 'synthetic')}.`;
}
