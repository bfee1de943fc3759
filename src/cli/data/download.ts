import { join } from 'node:path';
import { ARCHIVE_URL, BATCH_FOLDER } from '../../dataset/cifar10.ts';
import { shownUrl } from '../../dataset/download/address.ts';
import { type DatasetEvent, downloadCifar10, downloadFolder } from '../../dataset/download/download.ts';
import { DownloadError } from '../../dataset/download/failures.ts';
import { selectSources } from '../../dataset/download/sources.ts';
import { readSource } from '../../dataset/read.ts';
import { readRecord, storeBatches, verifyFolder } from '../../dataset/store.ts';
import { DataError, EXIT } from '../../errors.ts';
import { fileError, remove } from '../../files.ts';
import { message } from '../../message.ts';
import { DownloadProgress } from '../inputs/download-progress.ts';
import { printImageNote } from '../inputs/images.ts';
import { runUntilInterrupted } from '../terminal/interrupt.ts';
import { type Io, printPath } from '../terminal/io.ts';
import { ownName } from '../terminal/own-name.ts';
import { shellWord } from '../terminal/shell.ts';
import { findSource } from './source.ts';

export interface ImportOptions {
  readonly trust?: boolean;
}

export interface DownloadCommandOptions extends ImportOptions {
  readonly url?: string;
}

/** `nn-train data download`: downloads the images into the cache unless they are there. Resolves to the exit code. */
export function runDownload({ url, trust = false }: DownloadCommandOptions, io: Io): Promise<number> {
  const sources = selectSources(io.env, url);
  const progress = new DownloadProgress(io, { command: resumption(url, trust, io) });
  return runUntilInterrupted(io, async (signal) => {
    const folder = cachedImages(io);
    if (await isCached(folder, trust, io, signal)) io.stderr.write('already in the cache and verified\n');
    else {
      // The result is printed below, where it is known whether the images are official.
      const onEvent = (event: DatasetEvent) => event.kind !== 'finished' && progress.show(event);
      const options = { env: io.env, cacheFolder: downloadFolder(io.env), sources, trust, signal, onEvent };
      await progress
        .during(signal, () => downloadCifar10(options))
        .catch((error) => Promise.reject(withAdvice(error, io)));
      const record = await readRecord(folder);
      io.stderr.write(`${verdictOn('downloaded', record?.official === true)}\n`);
    }
    printPath(io, folder);
    return EXIT.done;
  });
}

/** What resumes the download. */
function resumption(url: string | undefined, trust: boolean, { env }: Io): string {
  if (url !== undefined && shownUrl(url) !== url) return 'the same command';
  const words = ['data', 'download', ...(url === undefined ? [] : ['--url', url]), ...(trust ? ['--trust'] : [])];
  return [ownName(env), ...words.map(shellWord)].join(' ');
}

/** `nn-train data import PATH`: converts images of any accepted format, verifies them and puts them into the cache.
 *  Resolves to the exit code. */
export function runImport(path: string, { trust = false }: ImportOptions, io: Io): Promise<number> {
  return runUntilInterrupted(io, async (signal) => {
    const source = await findSource(path, io);
    const folder = cachedImages(io);
    const before = await readRecord(folder);
    const batches = readSource(source, { signal, trust, onNote: (note) => printImageNote(note, io) });
    const { official } = await storeBatches({ folder, batches, source: source.path, trust, signal }).catch((error) =>
      Promise.reject(fileError(`cannot store the images in ${folder}`, error)),
    );
    const replaced = before === undefined ? '' : `, replacing those from ${before.source}`;
    io.stderr.write(`${verdictOn('imported', official)}${replaced}\n`);
    printPath(io, folder);
    return EXIT.done;
  });
}

/** `nn-train data path`: prints the path of the images that training would use, without downloading. */
export async function runPath(io: Io): Promise<void> {
  const { path } = await findSource(undefined, io);
  printPath(io, path);
}

/** Adds advice to the error of a failed download. */
function withAdvice(error: unknown, { env }: Io): unknown {
  if (!(error instanceof DownloadError)) return error;
  return new DataError(
    message`${error.text}; download ${ARCHIVE_URL} on another machine and import it with ${ownName(env)} data import FILE`,
    { cause: error },
  );
}

function verdictOn(done: string, isOfficial: boolean): string {
  return isOfficial ? `${done} and verified` : `${done}; these are not the official images`;
}

function cachedImages({ env }: Io): string {
  return join(downloadFolder(env), BATCH_FOLDER);
}

/** Whether verified images are in the cache. Removes damaged files of an earlier download so that they are fetched again.
 *  @throws DataError if the cache holds images that no download put there. */
async function isCached(folder: string, trust: boolean, io: Io, signal: AbortSignal): Promise<boolean> {
  const record = await readRecord(folder);
  const { official, files } = await verifyFolder(folder, { signal });
  if (files.every(({ sha256 }) => sha256 === null)) return false;
  const differing = files.filter(({ ok }) => !ok);
  if (differing.length === 0 && (official || trust)) return true;
  if (!(record?.official ?? differing.length < files.length)) {
    throw new DataError(
      `${folder} holds other images${record ? `, from ${record.source}` : ''}; remove that folder first`,
    );
  }
  io.stderr.write(`${differing.map(({ name }) => name).join(', ')} is damaged or missing; downloading again\n`);
  for (const { name } of differing) await remove(join(folder, name));
  return false;
}
