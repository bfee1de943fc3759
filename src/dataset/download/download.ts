import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DataError } from '../../errors.ts';
import { remove } from '../../files.ts';
import type { LockHolder } from '../../lock/holder.ts';
import { withLock } from '../../lock/lock.ts';
import { Message } from '../../message.ts';
import { BATCH_FILES, BATCH_FOLDER } from '../cifar10.ts';
import { cacheFolder, type EnvironmentVariables, recognise, type Source } from '../locate.ts';
import { readSource } from '../read.ts';
import { STORED_BYTES } from '../space.ts';
import { storeBatches } from '../store.ts';
import { shownUrl } from './address.ts';
import { Client } from './client.ts';
import { combinedError, DownloadError, TransferError, withFileErrors } from './failures.ts';
import { DEFAULT_LIMITS, type TransferLimits } from './limits.ts';
import { type RemoteSource, SOURCES, totalBytes } from './sources.ts';
import { transfer } from './transfer.ts';

/** Event of a download. A failed download has no final event: its promise rejects. */
export type DatasetEvent =
  | {
      readonly kind: 'started';
      readonly url: string;
      /** Total size of the source's files in bytes, if known. */
      readonly total: number | undefined;
    }
  | {
      readonly kind: 'progress';
      /** Bytes received so far, including those of an earlier download that is being resumed. */
      readonly received: number;
      /** Total size in bytes, if known. */
      readonly total: number | undefined;
    }
  /** A source failed or was too slow; `next` is the URL of the next one to try, if any. */
  | {
      readonly kind: 'source-failed';
      readonly url: string;
      readonly reason: string | Message;
      readonly next: string | undefined;
    }
  /** Another process, `holder`, is downloading to the same folder. Repeated every few seconds. */
  | { readonly kind: 'waiting'; readonly holder: string }
  /** Everything is in `path` and is now compared with the published hashes. */
  | { readonly kind: 'verifying'; readonly path: string }
  | { readonly kind: 'finished'; readonly path: string };

/** Settings for tests and for callers with sources of their own. */
export interface DownloadSettings {
  readonly sources?: readonly RemoteSource[] | undefined;
  readonly limits?: Partial<TransferLimits>;
  /** SHA-256 of the six files, by name. */
  readonly published?: Readonly<Record<string, string>>;
}

export interface DownloadOptions extends DownloadSettings {
  /** Folder in which `cifar-10-batches-bin` is created. */
  readonly cacheFolder: string;
  /** Environment variables, which may name proxies. */
  readonly env: EnvironmentVariables;
  /** Accept images that differ from the published ones. */
  readonly trust?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: DatasetEvent) => void) | undefined;
}

/** The folder for downloaded images. @throws DownloadError if there is none. */
export function downloadFolder(env: EnvironmentVariables): string {
  const folder = cacheFolder(env);
  if (folder !== undefined) return folder;
  throw new DownloadError('there is no home folder to store the images in; name a folder with XDG_CACHE_HOME');
}

/** Downloads CIFAR-10 from the first source that works, verifies it, and stores the six files in the cache. Returns their
 *  folder. If another process is already downloading, waits for its files.
 *
 *  A source that fails or is too slow is abandoned for the next one. Its partial files stay in the cache under
 *  `downloads/`, from where a later call resumes; they are removed when the six files are in place.
 *  @throws DownloadError if no source works; DataError if the downloaded data is not CIFAR-10;
 *  FileError if the cache cannot be written. Rejects with the reason of `signal` if it is aborted. */
export async function downloadCifar10(options: DownloadOptions): Promise<string> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const client = await Client.open(options.env, limits.connectTimeout);
  try {
    return await downloadWith(client, { ...options, limits });
  } finally {
    await client.close();
  }
}

async function downloadWith(
  client: Client,
  options: DownloadOptions & { readonly limits: TransferLimits },
): Promise<string> {
  const { cacheFolder, limits, sources = SOURCES, signal, onEvent } = options;
  const folder = join(cacheFolder, BATCH_FOLDER);
  // All at once and before touching the disk, so that a missing network is reported quickly.
  const reachable = sources.map(({ files }) => client.checkReachable(files[0].url, limits.connectTimeout, signal));
  await Promise.any(reachable).catch(({ errors }: AggregateError) => {
    signal?.throwIfAborted();
    throw errors.find((error) => !(error instanceof TransferError)) ?? combinedError(errors);
  });
  const work = async () => {
    if (!isComplete(folder)) await new Download({ ...options, client, folder }).tryAll(sources, reachable);
    return folder;
  };
  const onWait = ({ pid, host }: LockHolder) => onEvent?.({ kind: 'waiting', holder: `process ${pid} on ${host}` });
  return withFileErrors(cacheFolder, () => withLock(join(cacheFolder, 'download.lock'), work, { signal, onWait }));
}

/** Whether another process has stored the images in the meantime. Only complete folders get this name. */
function isComplete(folder: string): boolean {
  return BATCH_FILES.every((name) => existsSync(join(folder, name)));
}

interface ResolvedOptions extends DownloadOptions {
  readonly client: Client;
  readonly limits: TransferLimits;
  readonly folder: string;
}

/** One download, from any of several sources. */
class Download {
  readonly #options: ResolvedOptions;
  /** Share of each source that has been received, 0 to 1. */
  readonly #shares = new Map<RemoteSource, number>();

  constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  /** Tries all sources in order, then retries the slow ones without a minimum rate, the most complete first.
   *  @param reachable settles for each source once it has responded or failed to. */
  async tryAll(sources: readonly RemoteSource[], reachable: readonly Promise<void>[]): Promise<void> {
    const failures: TransferError[] = [];
    let slow: RemoteSource[] = [];
    for (const [n, source] of sources.entries()) {
      // The last source need only be faster than the slow ones that could be retried.
      const isLast = n === sources.length - 1;
      const minRate = isLast ? Math.max(0, ...failures.map(({ rate }) => rate)) : this.#options.limits.minRate;
      const failure = await this.#failureOf(() => reachable[n].then(() => this.#downloadFrom(source, minRate)));
      if (!failure) return;
      failures.push(failure);
      if (failure.kind === 'slow') slow = this.#mostCompleteFirst([...slow, source]);
      this.#report(failure, isLast ? slow[0] : sources[n + 1]);
    }
    for (const [n, source] of slow.entries()) {
      const failure = await this.#failureOf(() => this.#downloadFrom(source, 0));
      if (!failure) return;
      failures.push(failure);
      this.#report(failure, slow[n + 1]);
    }
    throw combinedError(failures);
  }

  #mostCompleteFirst(sources: readonly RemoteSource[]): RemoteSource[] {
    const share = (source: RemoteSource) => this.#shares.get(source) ?? 0;
    return sources.toSorted((a, b) => share(b) - share(a));
  }

  /** Resolves to the TransferError of `work`, or to undefined if it succeeds. Rethrows any other error. */
  async #failureOf(work: () => Promise<void>): Promise<TransferError | undefined> {
    try {
      await work();
      return undefined;
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (error instanceof TransferError) return error;
      throw error;
    }
  }

  #report({ url, reason }: TransferError, next: RemoteSource | undefined): void {
    const nextUrl = next && shownUrl(next.files[0].url);
    this.#options.onEvent?.({ kind: 'source-failed', url, reason: String(reason), next: nextUrl });
  }

  async #downloadFrom(source: RemoteSource, minRate: number): Promise<void> {
    const { client, cacheFolder, folder, signal, onEvent } = this.#options;
    const limits = { ...this.#options.limits, minRate };
    const downloads = join(cacheFolder, 'downloads', source.id);
    const url = shownUrl(source.files[0].url);
    const knownTotal = totalBytes(source);
    onEvent?.({ kind: 'started', url, total: knownTotal });
    let before = 0;
    for (const file of source.files) {
      let size = 0;
      const later = source.files.slice(source.files.indexOf(file) + 1);
      const neededLater = later.reduce((sum, { bytes = 0 }) => sum + bytes, STORED_BYTES);
      const onProgress = (received: number, fileTotal: number | undefined) => {
        size = received;
        const total = knownTotal ?? (source.files.length === 1 ? fileTotal : undefined);
        if (total) this.#shares.set(source, (before + received) / total);
        onEvent?.({ kind: 'progress', received: before + received, total });
      };
      await transfer(file, join(downloads, file.name), { client, limits, neededLater, signal, onProgress });
      before += file.bytes ?? size;
    }
    onEvent?.({ kind: 'verifying', path: downloads });
    await this.#store(source, downloads);
    await remove(dirname(downloads));
    onEvent?.({ kind: 'finished', path: folder });
  }

  async #store(source: RemoteSource, downloads: string): Promise<void> {
    const { folder, trust, signal, published } = this.#options;
    const { url, name } = source.files[0];
    try {
      const local = await localSource(source, downloads);
      await storeBatches({
        folder,
        batches: readSource(local, { signal, trust }),
        source: shownUrl(url),
        trust,
        signal,
        published,
      });
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      // The files are what the source provides, so keeping them would only repeat the error.
      await remove(downloads);
      throw new TransferError(url, replaceIn(error.text, join(downloads, name), name), 'damaged', { cause: error });
    }
  }
}

function replaceIn(text: string | Message, from: string, to: string): string | Message {
  if (typeof text === 'string') return text.replaceAll(from, to);
  return new Message(text.parts.map((part) => (typeof part === 'string' ? part.replaceAll(from, to) : part)));
}

/** Local source for the downloaded files. @throws DataError if their format is not recognised. */
async function localSource({ kind, files }: RemoteSource, downloads: string): Promise<Source> {
  const path = kind === 'parquet' ? downloads : join(downloads, files[0].name);
  if (kind !== undefined) return { kind, path };
  const found = await recognise(path);
  if (found) return found;
  throw new DataError('this is neither the binary nor the Python archive of CIFAR-10');
}
