import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, FileError } from '../errors.ts';
import { readArchive } from './archive.ts';
import { ARCHIVE_NAME, ARCHIVE_SHA256, ARCHIVE_URL, BATCH_FOLDER } from './cifar10.ts';
import { writeFolder } from './folder.ts';

/** What happens while images are fetched. A download that fails has no last event: its promise rejects. */
export type DatasetEvent =
  | { readonly kind: 'download-started'; readonly url: string }
  | {
      readonly kind: 'download-progress';
      /** Bytes so far. */
      readonly received: number;
      /** Bytes in all, if the server says. */
      readonly total: number | undefined;
    }
  | { readonly kind: 'download-finished'; readonly path: string };

/** The images could not be had from the network (exit 3). */
export class DownloadError extends DataError {}

/** How long, in milliseconds, a server may keep silent. */
interface Patience {
  /** Until the answer begins, with all redirects. */
  readonly answer: number;
  /** Between one piece of it and the next. */
  readonly silence: number;
}

export interface DownloadOptions {
  /** The six files come to `cifar-10-batches-bin` in this folder. */
  readonly cacheFolder: string;
  readonly url?: string;
  /** Of the archive, in hexadecimal. */
  readonly sha256?: string;
  readonly patience?: Patience;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: DatasetEvent) => void) | undefined;
}

type Settings = DownloadOptions & typeof DEFAULTS;

const DEFAULTS = {
  url: ARCHIVE_URL,
  sha256: ARCHIVE_SHA256,
  // Somebody without network shall not wait 4 s to learn it.
  patience: { answer: 3_500, silence: 20_000 },
};

/** Fetches the archive, verifies it, and puts the six files into the cache; returns their folder.
 *
 *  All work is done in a temporary folder of the cache, removed at the end whatever happens, and the finished files
 *  are renamed into place: a run that fails or is killed leaves nothing that could be taken for images.
 *  @throws DownloadError if the network or the server fails, or sends something else; DataError if the archive has the
 *  wrong hash or does not hold the images; FileError if the cache cannot be written. Rejects with the reason of `signal` when aborted. */
export async function downloadCifar10(options: DownloadOptions): Promise<string> {
  const settings = { ...DEFAULTS, ...options };
  const { cacheFolder, url, onEvent } = settings;
  const closing = new AbortController();
  onEvent?.({ kind: 'download-started', url });
  try {
    // Before the disk is touched: who has neither network nor a writable disk shall hear of the network.
    const response = await request(settings, closing.signal);
    const path = await inTemporaryFolder(cacheFolder, async (temporary) => {
      const archive = join(temporary, ARCHIVE_NAME);
      await save(response, archive, settings);
      const files = join(temporary, BATCH_FOLDER);
      await writeFolder(files, readArchive(archive, settings.signal));
      return publish(files, join(cacheFolder, BATCH_FOLDER));
    });
    onEvent?.({ kind: 'download-finished', path });
    return path;
  } finally {
    closing.abort();
  }
}

async function request(settings: Settings, closing: AbortSignal): Promise<Response> {
  const { url, patience, signal } = settings;
  const answer = fetch(url, {
    signal: signal ? AbortSignal.any([signal, closing]) : closing,
    // The archive as it is: what fetch had decompressed would not have the right hash.
    headers: { 'accept-encoding': 'identity' },
  });
  const response = await patiently(answer, patience.answer, settings);
  if (response.status !== 200) {
    throw new DownloadError(`${url} answered ${response.status} ${response.statusText}, wanted 200`);
  }
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('text/html')) {
    throw new DownloadError(`${url} answered with a web page (${type}), wanted an archive`);
  }
  return response;
}

/** Writes what the server sends to the path, and verifies it. */
async function save(response: Response, path: string, settings: Settings): Promise<void> {
  const { url, sha256, onEvent } = settings;
  const total = Number(response.headers.get('content-length')) || undefined;
  const hash = createHash('sha256');
  let received = 0;
  const file = await open(path, 'wx');
  try {
    for await (const chunk of chunks(response, settings)) {
      await file.writeFile(chunk);
      hash.update(chunk);
      received += chunk.length;
      onEvent?.({ kind: 'download-progress', received, total });
    }
  } finally {
    await file.close();
  }
  const got = hash.digest('hex');
  if (got === sha256) return;
  throw new DataError(
    `the ${received.toLocaleString('en-US')} bytes from ${url} have the SHA-256 ${got}, wanted ${sha256}: ` +
      'the archive was damaged or changed on its way. Try again, or name a good copy with --data, or take generated ' +
      'images with --dataset synthetic.',
  );
}

async function* chunks(response: Response, settings: Settings): AsyncGenerator<Uint8Array> {
  const reader = response.body!.getReader();
  for (;;) {
    // Where everything has arrived, fetch answers an abort neither with an error nor with the end.
    settings.signal?.throwIfAborted();
    const { done, value } = await patiently(reader.read(), settings.patience.silence, settings);
    if (done) return;
    yield value;
  }
}

/** Waits for a step of the transfer, but not for ever; a failure of the network becomes a DownloadError. */
async function patiently<T>(step: Promise<T>, milliseconds: number, { url, signal }: Settings): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    const late = () => reject(new DownloadError(`nothing came from ${url} for ${milliseconds / 1000} s`));
    timer = setTimeout(late, milliseconds);
  });
  try {
    return await Promise.race([step, tooLate]);
  } catch (error) {
    signal?.throwIfAborted();
    // fetch says only "fetch failed" or "terminated"; the reason is the cause. Without one it is no matter of networks.
    if (!(error instanceof TypeError && error.cause instanceof Error)) throw error;
    const { message, code } = error.cause as NodeJS.ErrnoException;
    throw new DownloadError(`the connection to ${url} failed: ${message || code}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** Runs `work` with a new folder in `parent`, which is removed afterwards. */
async function inTemporaryFolder<T>(parent: string, work: (folder: string) => Promise<T>): Promise<T> {
  let temporary: string | undefined;
  try {
    await mkdir(parent, { recursive: true });
    temporary = await mkdtemp(join(parent, 'download-'));
    return await work(temporary);
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new FileError(
      `cannot store the images in ${parent}: ${error.message}. ` +
        'They need 360 MB; free some space, or name another folder with XDG_CACHE_HOME.',
      undefined,
      { cause: error },
    );
  } finally {
    if (temporary) await rm(temporary, { recursive: true, force: true });
  }
}

/** Renames the finished folder, unless another run that downloaded at the same time was faster: its files are as good. */
async function publish(finished: string, target: string): Promise<string> {
  try {
    await rename(finished, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  }
  return target;
}
