import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { ReadEntry } from 'tar';
import { DataError } from '../../errors.ts';
import { BATCH_FILES, BATCH_FOLDER, type Batch, checkSize, REPLACEMENT_ADVICE } from '../cifar10.ts';
import { cannotRead } from './folder.ts';

/** Large enough to make the cost of passing chunks between threads negligible next to decompression. */
const CHUNK_BYTES = 1 << 20;

/** Names and sizes of the six files in one version of CIFAR-10. */
export interface Layout {
  /** Published name of their folder. */
  readonly folder: string;
  readonly files: readonly string[];
  /** @throws DataError if a size in bytes is impossible for one of the files. */
  readonly checkSize: (size: number, origin: string) => void;
}

const BINARY: Layout = { folder: BATCH_FOLDER, files: BATCH_FILES, checkSize };

/** Reads the six files of a `cifar-10-binary.tar.gz`; see `readEntries`. */
export function readArchive(archive: string, signal?: AbortSignal): AsyncGenerator<Batch> {
  return readEntries(archive, BINARY, signal);
}

/** Reads the six files of a .tar.gz archive in memory, in the order of the archive, without writing to the disk.
 *
 *  Accepts regular files named `FOLDER/NAME` or `NAME`, with or without a leading `./`. All other entries are skipped
 *  while streaming, so that neither their paths nor their sizes can do harm.
 *  @throws DataError if the archive cannot be read or is damaged, or if one of the six files is missing, duplicated, a
 *  link or of the wrong size. Rejects with the reason of `signal` if it is aborted. */
export async function* readEntries(archive: string, layout: Layout, signal?: AbortSignal): AsyncGenerator<Batch> {
  const seen = new Set<string>();
  const complete: Batch[] = [];
  // Imported on demand: most runs read a folder.
  const { Parser } = await import('tar');
  const parser = new Parser({
    strict: true,
    filter: (path) => fileName(path, layout) !== undefined,
    onReadEntry: (entry) => {
      const name = fileName(entry.path, layout)!;
      const origin = `${entry.path} in ${archive}`;
      if (seen.has(name)) throw new DataError(`${archive} contains ${entry.path} twice. ${REPLACEMENT_ADVICE}`);
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
      ? new DataError(`${archive} is not a complete .tar.gz archive: ${error.message}. ${REPLACEMENT_ADVICE}`, {
          cause: error,
        })
      : cannotRead(archive, error);
  }
  const missing = layout.files.filter((name) => !seen.has(name));
  if (missing.length > 0)
    throw new DataError(`${archive} is incomplete; missing: ${missing.join(', ')}. ${REPLACEMENT_ADVICE}`);
}

/** Decompressed bytes of an archive that `containsAnyOf` searches. */
const MAX_SEARCHED_BYTES = 64 * CHUNK_BYTES;

/** Whether one of the six files is near the beginning of an archive. Errors are ignored here; `readEntries` reports them. */
export async function containsAnyOf(archive: string, layout: Layout): Promise<boolean> {
  const { Parser } = await import('tar');
  let isFound = false;
  const parser = new Parser({
    filter: (path) => {
      isFound ||= fileName(path, layout) !== undefined;
      return false;
    },
  });
  let left = MAX_SEARCHED_BYTES;
  try {
    for await (const chunk of decompress(archive, undefined)) {
      parser.write(chunk);
      left -= chunk.length;
      if (isFound || left < 0) break;
    }
  } catch {
    // The files found before the error decide.
  }
  return isFound;
}

/** Name of the file at a path in the archive; undefined if it is not one of the six. */
function fileName(path: string, { folder, files }: Layout): string | undefined {
  let name = path.replace(/^\.\//, '');
  if (name.startsWith(`${folder}/`)) name = name.slice(folder.length + 1);
  return files.includes(name) ? name : undefined;
}

function collect(entry: ReadEntry, origin: string, layout: Layout, done: (bytes: Uint8Array) => void): void {
  if (entry.type !== 'File' && entry.type !== 'OldFile') {
    throw new DataError(`${origin} is a ${entry.type}, wanted a regular file. ${REPLACEMENT_ADVICE}`);
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
  // Errors reach the reader of the last stream, so the callback has nothing to do.
  return pipeline(compressed, createGunzip({ chunkSize: CHUNK_BYTES }), () => {});
}

/** Whether zlib or tar reports damaged input. */
function isDamage(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return 'tarCode' in error || ('code' in error && String(error.code).startsWith('Z_'));
}
