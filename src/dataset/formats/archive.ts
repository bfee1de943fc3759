import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { ReadEntry } from 'tar';
import { DataError } from '../../errors.ts';
import { BATCH_FILES, BATCH_FOLDER, type Batch, checkSize, HOW_TO_MEND } from '../cifar10.ts';
import { cannotRead } from './folder.ts';

/** Large enough that the trips between the threads cost nothing beside the decompression. */
const CHUNK_BYTES = 1 << 20;

/** Six files that an archive or a folder holds. */
export interface Layout {
  /** The folder of the files, by the name that it was published with. */
  readonly folder: string;
  readonly files: readonly string[];
  /** @throws DataError if one of the files cannot have this many bytes. */
  readonly checkSize: (size: number, origin: string) => void;
}

const BINARY: Layout = { folder: BATCH_FOLDER, files: BATCH_FILES, checkSize };

/** The six files of a `cifar-10-binary.tar.gz`; see `readEntries`. */
export function readArchive(archive: string, signal?: AbortSignal): AsyncGenerator<Batch> {
  return readEntries(archive, BINARY, signal);
}

/** The six files of a .tar.gz archive, in the order of the archive, read in memory: nothing is written.
 *
 *  Taken are regular files named `FOLDER/NAME` or `NAME`, with or without a leading `./`. Any other entry is skipped
 *  as it streams by, so that neither its path nor its size can do harm.
 *  @throws DataError if the archive cannot be read, is damaged, or lacks a file; if one of the six is a link, is there
 *  twice, or is not of the right size. Rejects with the reason of `signal` when that is aborted. */
export async function* readEntries(archive: string, layout: Layout, signal?: AbortSignal): AsyncGenerator<Batch> {
  const seen = new Set<string>();
  const complete: Batch[] = [];
  // Loaded only here: most runs read a folder.
  const { Parser } = await import('tar');
  const parser = new Parser({
    strict: true,
    filter: (path) => fileName(path, layout) !== undefined,
    onReadEntry: (entry) => {
      const name = fileName(entry.path, layout)!;
      const origin = `${entry.path} in ${archive}`;
      if (seen.has(name)) throw new DataError(`${origin} is there twice. ${HOW_TO_MEND}`);
      seen.add(name);
      collect(entry, origin, layout, (bytes) => complete.push({ name, origin, bytes }));
    },
  });
  try {
    for await (const chunk of decompress(archive, signal)) {
      parser.write(chunk);
      yield* complete.splice(0);
    }
    parser.end();
  } catch (error) {
    signal?.throwIfAborted();
    throw isDamage(error)
      ? new DataError(`${archive} is not a whole .tar.gz archive: ${error.message}. ${HOW_TO_MEND}`, { cause: error })
      : cannotRead(archive, error);
  }
  const missing = layout.files.filter((name) => !seen.has(name));
  if (missing.length > 0) throw new DataError(`${archive} lacks ${missing.join(', ')}. ${HOW_TO_MEND}`);
}

/** How far into an archive `holdsAnyOf` looks, in decompressed bytes. */
const MOST_LOOKED_AT = 64 * CHUNK_BYTES;

/** Whether one of the six files comes early in an archive. Any fault of it is left for `readEntries` to tell. */
export async function holdsAnyOf(archive: string, layout: Layout): Promise<boolean> {
  const { Parser } = await import('tar');
  let isFound = false;
  const parser = new Parser({
    filter: (path) => {
      isFound ||= fileName(path, layout) !== undefined;
      return false;
    },
  });
  let left = MOST_LOOKED_AT;
  try {
    for await (const chunk of decompress(archive, undefined)) {
      parser.write(chunk);
      left -= chunk.length;
      if (isFound || left < 0) break;
    }
  } catch {
    // Found or not by then.
  }
  return isFound;
}

/** Which of the six files a path in the archive stands for. */
function fileName(path: string, { folder, files }: Layout): string | undefined {
  let name = path.replace(/^\.\//, '');
  if (name.startsWith(`${folder}/`)) name = name.slice(folder.length + 1);
  return files.includes(name) ? name : undefined;
}

function collect(entry: ReadEntry, origin: string, layout: Layout, done: (bytes: Uint8Array) => void): void {
  if (entry.type !== 'File' && entry.type !== 'OldFile') {
    throw new DataError(`${origin} is of the type ${entry.type}, wanted a regular file. ${HOW_TO_MEND}`);
  }
  layout.checkSize(entry.size, origin);
  const bytes = new Uint8Array(entry.size);
  let filled = 0;
  entry.on('data', (chunk) => {
    bytes.set(chunk, filled);
    filled += chunk.length;
  });
  entry.on('end', () => done(bytes));
}

function decompress(archive: string, signal: AbortSignal | undefined): AsyncIterable<Buffer> {
  const compressed = createReadStream(archive, { highWaterMark: CHUNK_BYTES, signal });
  // An error reaches whoever reads the last stream, so the callback has nothing to do.
  return pipeline(compressed, createGunzip({ chunkSize: CHUNK_BYTES }), () => {});
}

/** Whether zlib or tar complains about what it reads. */
function isDamage(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return 'tarCode' in error || ('code' in error && String(error.code).startsWith('Z_'));
}
