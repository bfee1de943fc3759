import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { ReadEntry } from 'tar';
import { DataError } from '../errors.ts';
import { BATCH_FILES, BATCH_FOLDER, type Batch, checkSize, HOW_TO_MEND } from './cifar10.ts';
import { cannotRead } from './folder.ts';

/** Large enough that the trips between the threads cost nothing beside the decompression. */
const CHUNK_BYTES = 1 << 20;

/** The six files of a `cifar-10-binary.tar.gz`, in the order of the archive, read in memory: nothing is written.
 *
 *  Taken are regular files named `cifar-10-batches-bin/NAME` or `NAME`, with or without a leading `./`. Any other
 *  entry is skipped as it streams by, so that neither its path nor its size can do harm.
 *  @throws DataError if the archive cannot be read, is damaged, or lacks a file; if one of the six is a link, is there
 *  twice, or is not of the right size. Rejects with the reason of `signal` when that is aborted. */
export async function* readArchive(archive: string, signal?: AbortSignal): AsyncGenerator<Batch> {
  const seen = new Set<string>();
  const complete: Batch[] = [];
  // Loaded only here: most runs read a folder.
  const { Parser } = await import('tar');
  const parser = new Parser({
    strict: true,
    filter: (path) => batchName(path) !== undefined,
    onReadEntry: (entry) => {
      const name = batchName(entry.path)!;
      const origin = `${entry.path} in ${archive}`;
      if (seen.has(name)) throw new DataError(`${origin} is there twice. ${HOW_TO_MEND}`);
      seen.add(name);
      collect(entry, origin, (bytes) => complete.push({ name, origin, bytes }));
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
  const missing = BATCH_FILES.filter((name) => !seen.has(name));
  if (missing.length > 0) throw new DataError(`${archive} lacks ${missing.join(', ')}. ${HOW_TO_MEND}`);
}

const PREFIX = new RegExp(`^(\\./)?(${BATCH_FOLDER}/)?`);

/** Which of the six files a path in the archive stands for. */
function batchName(path: string): string | undefined {
  const name = path.replace(PREFIX, '');
  return BATCH_FILES.includes(name) ? name : undefined;
}

function collect(entry: ReadEntry, origin: string, done: (bytes: Uint8Array) => void): void {
  if (entry.type !== 'File' && entry.type !== 'OldFile') {
    throw new DataError(`${origin} is of the type ${entry.type}, wanted a regular file. ${HOW_TO_MEND}`);
  }
  checkSize(entry.size, origin);
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
