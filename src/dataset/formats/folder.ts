import { type FileHandle, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../errors.ts';
import { kindOf, START_BYTES } from '../../file-kinds.ts';
import { fileError } from '../../files.ts';
import { integer } from '../../format.ts';
import { openRegularFile } from '../../read-file.ts';
import { BATCH_BYTES, BATCH_FILES, type Batch, checkSize, isBatchSize, type ReadOptions } from '../cifar10.ts';
import { wrongKind } from './wrong-file.ts';

/** Reads the six files of a folder into two buffers in turn, one file ahead: a batch is valid only until the next one is
 *  requested. (Allocating a buffer takes longer than reading a file into it.)
 *  @throws DataError if a file cannot be read or has the wrong size. */
export async function* readFolder(folder: string, { signal, trust }: ReadOptions = {}): AsyncGenerator<Batch> {
  const isTrusted = trust && !(await hasPublishedSizes(folder));
  const memories = [batchMemory(), batchMemory()];
  const read = (i: number) => {
    const bytes = readBatch(join(folder, BATCH_FILES[i]), memories[i % 2], isTrusted);
    // A failure counts once the caller asks for the file.
    bytes.catch(() => {});
    return bytes;
  };
  let next = read(0);
  for (const [i, name] of BATCH_FILES.entries()) {
    signal?.throwIfAborted();
    const bytes = await next;
    if (i + 1 < BATCH_FILES.length) next = read(i + 1);
    yield { name, origin: join(folder, name), bytes, isTrusted };
  }
}

/** Whether the six files have the size of the published ones. */
export async function hasPublishedSizes(folder: string): Promise<boolean> {
  const sizes = await Promise.all(BATCH_FILES.map((name) => stat(join(folder, name)).catch(() => undefined)));
  return sizes.every((status) => status?.size === BATCH_BYTES);
}

/** Memory for one batch after another, allocated when the first one is known to be right. A batch that is larger than the
 *  published ones gets its own. */
export function batchMemory(): (bytes: number) => Uint8Array {
  let memory: Uint8Array | undefined;
  return (bytes) => {
    if (bytes > BATCH_BYTES) return new Uint8Array(bytes);
    memory ??= new Uint8Array(BATCH_BYTES);
    return memory.subarray(0, bytes);
  };
}

/** Turns a file-system error into a DataError that names the path; returns any other error unchanged. */
export function cannotRead(what: string, error: unknown): unknown {
  return fileError(`cannot read ${what}`, error, DataError);
}

/** Names of the entries of a folder; undefined if there is no such folder. @throws DataError if it cannot be read. */
export async function listIfPresent(folder: string): Promise<readonly string[] | undefined> {
  try {
    return await readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw cannotRead(folder, error);
  }
}

async function readBatch(path: string, memory: (bytes: number) => Uint8Array, trust?: boolean): Promise<Uint8Array> {
  try {
    const file = await openRegularFile(path);
    try {
      const { size } = await file.stat();
      if (!isBatchSize(size, trust)) await refuse(path, file, size, trust);
      // One read for the whole file: readFile would read half a megabyte at a time.
      const { buffer, bytesRead } = await file.read(memory(size), 0, size, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/** @throws DataError about a file of the wrong size. */
async function refuse(path: string, file: FileHandle, size: number, trust?: boolean): Promise<void> {
  const { buffer, bytesRead } = await file.read(new Uint8Array(START_BYTES), 0, START_BYTES, 0);
  const start = buffer.subarray(0, bytesRead);
  if (kindOf(start)) throw wrongKind({ origin: path, start, size }, `${integer(BATCH_BYTES)} bytes of CIFAR-10`);
  checkSize(size, path, trust);
}
