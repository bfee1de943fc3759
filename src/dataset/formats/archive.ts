import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { ReadEntry } from 'tar';
import { DataError } from '../../errors.ts';
import { kindOf, START_BYTES } from '../../file-kinds.ts';
import { readStart, statRegularFile } from '../../read-file.ts';
import { BATCH_FILES, BATCH_FOLDER, type Batch, checkSize, REPLACEMENT_ADVICE, type ReadOptions } from '../cifar10.ts';
import { cannotRead } from './folder.ts';
import { wrongKind } from './wrong-file.ts';

/** Large enough to make the cost of passing chunks between threads negligible next to decompression. */
const CHUNK_BYTES = 1 << 20;

/** Limit on what an archive unpacks to, so that a few bytes cannot keep the program busy forever. CIFAR-10 has 200 MB. */
const MAX_UNPACKED_BYTES = 4 * 2 ** 30;
const WANTED = 'an archive of CIFAR-10, such as cifar-10-binary.tar.gz or cifar-10-python.tar.gz';

/** Names and sizes of the six files in one version of CIFAR-10. */
export interface Layout {
  /** Published name of their folder. */
  readonly folder: string;
  readonly files: readonly string[];
  /** @throws DataError if a size in bytes is impossible for one of the files. @param trust accept any number of images. */
  readonly checkSize: (size: number, origin: string, trust?: boolean) => void;
}

const BINARY: Layout = { folder: BATCH_FOLDER, files: BATCH_FILES, checkSize };

/** Reads the six files of a `cifar-10-binary.tar.gz`; see `readEntries`. */
export function readArchive(archive: string, options: ReadOptions = {}): AsyncGenerator<Batch> {
  return readEntries(archive, BINARY, options);
}

/** Reads the six files of a tar archive, compressed with gzip or not, in the order of the archive and without writing to
 *  the disk.
 *
 *  Accepts regular files named `FOLDER/NAME` or `NAME`, with or without a leading `./`. All other entries are skipped
 *  while streaming, so that neither their paths nor their sizes can do harm.
 *  @throws DataError if the archive cannot be read or is damaged, or if one of the six files is missing, duplicated, a
 *  link or of the wrong size. Rejects with the reason of `signal` if it is aborted. */
export async function* readEntries(
  archive: string,
  layout: Layout,
  { signal, trust }: ReadOptions = {},
): AsyncGenerator<Batch> {
  const seen = new Set<string>();
  const others: string[] = [];
  const complete: Batch[] = [];
  // Imported on demand: most runs read a folder.
  const { Parser } = await import('tar');
  const parser = new Parser({
    strict: true,
    filter: (path, { size }) => {
      const isWanted = fileName(path, layout) !== undefined;
      if (!isWanted && size > MAX_UNPACKED_BYTES) throw tooLarge(archive);
      if (!isWanted && others.length < MAX_NAMED) others.push(path);
      return isWanted;
    },
    onReadEntry: (entry) => {
      const name = fileName(entry.path, layout)!;
      const origin = `${entry.path} in ${archive}`;
      if (seen.has(name)) throw new DataError(`${archive} contains ${entry.path} twice. ${REPLACEMENT_ADVICE}`);
      seen.add(name);
      const done = (bytes: Uint8Array) => complete.push({ name, origin, bytes, isTrusted: trust });
      collect(entry, origin, (size) => layout.checkSize(size, origin, trust), done);
    },
  });
  try {
    let unpacked = 0;
    for await (const chunk of unpack(archive, signal)) {
      unpacked += chunk.length;
      if (unpacked > MAX_UNPACKED_BYTES) throw tooLarge(archive);
      parser.write(chunk);
      yield* complete.splice(0);
    }
    parser.end();
  } catch (error) {
    signal?.throwIfAborted();
    throw damage(archive, error) ?? cannotRead(archive, error);
  }
  const missing = layout.files.filter((name) => !seen.has(name));
  if (missing.length === 0) return;
  throw seen.size === 0 ? otherContents(archive, others) : incomplete(archive, missing);
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
    for await (const chunk of unpack(archive, undefined)) {
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

function collect(
  entry: ReadEntry,
  origin: string,
  checkSize: (size: number) => void,
  done: (bytes: Uint8Array) => void,
): void {
  if (entry.type !== 'File' && entry.type !== 'OldFile') {
    throw new DataError(`${origin} is a ${entry.type}, wanted a regular file. ${REPLACEMENT_ADVICE}`);
  }
  checkSize(entry.size);
  const bytes = new Uint8Array(entry.size);
  let filled = 0;
  entry.on('data', (chunk) => {
    bytes.set(chunk, filled);
    filled += chunk.length;
  });
  entry.on('end', () => done(bytes));
}

/** The contents of a tar archive, as the first bytes tell it: compressed or not. @throws DataError if it is neither. */
async function* unpack(archive: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  const { size } = await statRegularFile(archive);
  const start = await readStart(archive, START_BYTES);
  const kind = kindOf(start)?.id;
  if (kind !== 'gzip' && kind !== 'tar') throw wrongKind({ origin: archive, start, size }, WANTED);
  const file = createReadStream(archive, { highWaterMark: CHUNK_BYTES, signal });
  if (kind === 'tar') return yield* file;
  let isFirst = true;
  // Errors reach the reader of the last stream, so the callback has nothing to do.
  for await (const chunk of pipeline(file, createGunzip({ chunkSize: CHUNK_BYTES }), () => {})) {
    if (isFirst && chunk.length >= START_BYTES && kindOf(chunk)?.id !== 'tar') {
      throw wrongKind({ origin: `the content of ${archive}`, start: chunk }, WANTED);
    }
    isFirst = false;
    yield chunk;
  }
}

/** The error of zlib or tar in our words; undefined for any other error. */
function damage(archive: string, error: unknown): DataError | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = String('tarCode' in error ? error.tarCode : 'code' in error ? error.code : '');
  if (!/^(TAR|Z)_/.test(code)) return undefined;
  const isCut = code === 'Z_BUF_ERROR' || error.message.includes('Truncated input');
  const problem = isCut
    ? 'is cut off: it ends before its contents do'
    : `is damaged (${error.message.replace(/^[A-Z_]+: /, '')})`;
  return new DataError(`${archive} ${problem}. ${REPLACEMENT_ADVICE}`, { cause: error });
}

function tooLarge(archive: string): DataError {
  const limit = `${MAX_UNPACKED_BYTES / 2 ** 30} GiB`;
  return new DataError(`${archive} unpacks to more than ${limit}; wanted ${WANTED}. ${REPLACEMENT_ADVICE}`);
}

function incomplete(archive: string, missing: readonly string[]): DataError {
  return new DataError(`${archive} is incomplete; missing: ${missing.join(', ')}. ${REPLACEMENT_ADVICE}`);
}

/** Entries that a message names. */
const MAX_NAMED = 4;
const RELATIVES: readonly (readonly [folder: RegExp, description: string])[] = [
  [/cifar-100/, 'is CIFAR-100'],
  [/cifar-10-batches-mat/, 'is the MATLAB version of CIFAR-10'],
];

/** Error about an archive with none of the six files. */
function otherContents(archive: string, entries: readonly string[]): DataError {
  const relative = RELATIVES.find(([folder]) => entries.some((path) => folder.test(path)));
  const found = entries.length === 0 ? 'nothing' : entries.map((path) => JSON.stringify(path.slice(0, 80))).join(', ');
  const contents = relative?.[1] ?? `has none of the six files of CIFAR-10; it has ${found}`;
  return new DataError(`${archive} ${contents}; wanted ${WANTED}.`);
}
