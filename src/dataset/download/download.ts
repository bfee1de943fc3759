import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DataError, FileError, UserError } from '../../errors.ts';
import { BATCH_FILES, BATCH_FOLDER } from '../cifar10.ts';
import { recognise, type Source } from '../locate.ts';
import { readSource } from '../read.ts';
import { storeBatches } from '../store.ts';
import { type Holder, withLock } from './lock.ts';
import { PATIENCE, type Patience, reach, TransferError } from './network.ts';
import { bytesOf, type RemoteSource, SOURCES } from './sources.ts';
import { transfer } from './transfer.ts';

/** What happens while images are fetched. A download that fails has no last event: its promise rejects. */
export type DatasetEvent =
  | {
      readonly kind: 'started';
      readonly url: string;
      /** Bytes of all files of this source, if that is known. */
      readonly total: number | undefined;
    }
  | {
      readonly kind: 'progress';
      /** Bytes so far; more than 0 from the first event on, where an earlier download goes on. */
      readonly received: number;
      /** Bytes in all, if the server says. */
      readonly total: number | undefined;
    }
  /** A source was given up; `next` is the address of the one that is tried now, if there is one. */
  | { readonly kind: 'source-left'; readonly url: string; readonly why: string; readonly next: string | undefined }
  /** Another process downloads to the same folder: `for` says which. Comes again every few seconds. */
  | { readonly kind: 'waiting'; readonly for: string }
  /** All has come to `path` and is now compared with the published hashes. */
  | { readonly kind: 'verifying'; readonly path: string }
  | { readonly kind: 'finished'; readonly path: string };

/** The images could not be had from the network (exit 3). */
export class DownloadError extends DataError {}

/** What tests, and whoever has sources of their own, may set. */
export interface DownloadSettings {
  readonly sources?: readonly RemoteSource[] | undefined;
  readonly patience?: Partial<Patience>;
  /** SHA-256 of the six files. */
  readonly published?: Readonly<Record<string, string>>;
}

export interface DownloadOptions extends DownloadSettings {
  /** The six files come to `cifar-10-batches-bin` in this folder. */
  readonly cacheFolder: string;
  /** Take images that are not the published ones. */
  readonly trust?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: DatasetEvent) => void) | undefined;
}

/** Fetches CIFAR-10 from the first source that gives it, verifies it, and puts the six files into the cache; returns
 *  their folder. If another process does so already, it waits for that one's files.
 *
 *  A source is left for the next one if it fails or is slow. What has come from it is kept in the cache under
 *  `downloads/`, and a later call goes on there; all of that is removed when the six files are in place.
 *  @throws DownloadError if none could be had from the network; DataError if what came is not CIFAR-10;
 *  FileError if the cache cannot be written. Rejects with the reason of `signal` when aborted. */
export async function downloadCifar10(options: DownloadOptions): Promise<string> {
  const { cacheFolder, sources = SOURCES, signal, onEvent } = options;
  const patience = { ...PATIENCE, ...options.patience };
  const folder = join(cacheFolder, BATCH_FOLDER);
  // All at once, and before the disk is touched: who has no network shall hear of that, and soon.
  const reached = sources.map(({ files }) => reach(files[0].url, patience, signal));
  await Promise.any(reached).catch(({ errors }: AggregateError) => {
    signal?.throwIfAborted();
    throw errors.find((error) => !(error instanceof TransferError)) ?? failure(errors);
  });
  const work = async () => {
    if (!isWhole(folder)) await new Download({ ...options, patience, folder }).fromAny(sources, reached);
    return folder;
  };
  const onWait = ({ pid, host }: Holder) => onEvent?.({ kind: 'waiting', for: `process ${pid} on ${host}` });
  return onDisk(cacheFolder, () => withLock(join(cacheFolder, 'download.lock'), work, { signal, onWait }));
}

/** Whether another process was faster. Only whole folders get this name. */
function isWhole(folder: string): boolean {
  return BATCH_FILES.every((name) => existsSync(join(folder, name)));
}

interface ResolvedOptions extends DownloadOptions {
  readonly patience: Patience;
  readonly folder: string;
}

/** One download, from whichever source gives it. */
class Download {
  readonly #options: ResolvedOptions;
  /** The best share of a source that has come. */
  readonly #shares = new Map<RemoteSource, number>();

  constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  /** Tries one source after the other, then once more those that were merely slow, the one that has come furthest first.
   *  @param reached whether they answer at all. */
  async fromAny(sources: readonly RemoteSource[], reached: readonly Promise<void>[]): Promise<void> {
    const failures: TransferError[] = [];
    let slow: RemoteSource[] = [];
    for (const [n, source] of sources.entries()) {
      // The last one need only be better than those that could be gone back to.
      const isLast = n === sources.length - 1;
      const leastRate = isLast ? Math.max(0, ...failures.map(({ rate }) => rate)) : this.#options.patience.rate;
      const left = await this.#left(() => reached[n].then(() => this.#from(source, leastRate)));
      if (!left) return;
      failures.push(left);
      if (left.kind === 'slow') slow = this.#furthestFirst([...slow, source]);
      this.#tell(left, isLast ? slow[0] : sources[n + 1]);
    }
    for (const [n, source] of slow.entries()) {
      const left = await this.#left(() => this.#from(source, 0));
      if (!left) return;
      failures.push(left);
      this.#tell(left, slow[n + 1]);
    }
    throw failure(failures);
  }

  #furthestFirst(sources: readonly RemoteSource[]): RemoteSource[] {
    const share = (source: RemoteSource) => this.#shares.get(source) ?? 0;
    return sources.toSorted((a, b) => share(b) - share(a));
  }

  /** Why the source is left that the work tries, if it fails. Rethrows what is no matter of this source. */
  async #left(work: () => Promise<void>): Promise<TransferError | undefined> {
    try {
      await work();
      return undefined;
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (error instanceof TransferError) return error;
      throw error;
    }
  }

  #tell({ url, why }: TransferError, next: RemoteSource | undefined): void {
    this.#options.onEvent?.({ kind: 'source-left', url, why, next: next?.files[0].url });
  }

  async #from(source: RemoteSource, leastRate: number): Promise<void> {
    const { cacheFolder, folder, patience, signal, onEvent } = this.#options;
    const place = join(cacheFolder, 'downloads', source.id);
    const { url } = source.files[0];
    const whole = bytesOf(source);
    onEvent?.({ kind: 'started', url, total: whole });
    let before = 0;
    for (const file of source.files) {
      let size = 0;
      const onProgress = (received: number, fileTotal: number | undefined) => {
        size = received;
        const total = whole ?? (source.files.length === 1 ? fileTotal : undefined);
        if (total) this.#shares.set(source, (before + received) / total);
        onEvent?.({ kind: 'progress', received: before + received, total });
      };
      await transfer(file, join(place, file.name), { patience, leastRate, signal, onProgress });
      before += file.bytes ?? size;
    }
    onEvent?.({ kind: 'verifying', path: place });
    await this.#store(source, place);
    await rm(dirname(place), { recursive: true, force: true });
    onEvent?.({ kind: 'finished', path: folder });
  }

  async #store(source: RemoteSource, place: string): Promise<void> {
    const { folder, trust, signal, published } = this.#options;
    const { url, name } = source.files[0];
    try {
      const local = await localSource(source, place);
      await storeBatches({ folder, batches: readSource(local, signal), source: url, trust, signal, published });
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      // It would be no better the next time.
      await rm(place, { recursive: true, force: true });
      throw new TransferError(url, error.message.replaceAll(join(place, name), name), 'damaged', { cause: error });
    }
  }
}

/** What was fetched, to be read. @throws DataError if it is nothing that holds images. */
async function localSource({ kind, files }: RemoteSource, place: string): Promise<Source> {
  const path = kind === 'parquet' ? place : join(place, files[0].name);
  if (kind !== undefined) return { kind, path };
  const found = await recognise(path);
  if (found) return found;
  throw new DataError('this is neither the binary nor the Python archive of CIFAR-10');
}

/** One error of all. Damage counts more than a lack of network: it must not be passed over in silence. */
function failure(errors: readonly TransferError[]): DataError {
  const [first] = errors;
  const byUrl = new Map(errors.map(({ url, why }) => [url, `${new URL(url).host}: ${why}`]));
  const message =
    byUrl.size === 1
      ? first.message
      : `none of the ${byUrl.size} sources gave the images: ${[...new Set(byUrl.values())].join('; ')}`;
  if (!errors.some(({ kind }) => kind === 'damaged')) return new DownloadError(message, { cause: first });
  // What is wrong with the images themselves comes with advice of its own.
  const advice = '. Try again, or name a good copy with --data, or take generated images with --dataset synthetic.';
  return new DataError(message.endsWith('.') ? message : message + advice, { cause: first });
}

/** Makes errors of the file system say which disk, and what can be done. */
async function onDisk<T>(cacheFolder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UserError || !(error instanceof Error && 'syscall' in error)) throw error;
    throw new FileError(
      `cannot store the images in ${cacheFolder}: ${error.message}. ` +
        'They need 360 MB; free some space, or name another folder with XDG_CACHE_HOME.',
      undefined,
      { cause: error },
    );
  }
}
