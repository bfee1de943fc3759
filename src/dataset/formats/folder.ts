import { type FileHandle, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../errors.ts';
import { kindOf, START_BYTES } from '../../file-kinds.ts';
import { fileError } from '../../files.ts';
import { integer } from '../../format.ts';
import { openRegularFile } from '../../read-file.ts';
import { BATCH_BYTES, BATCH_FILES, type Batch, checkSize } from '../cifar10.ts';
import { wrongKind } from './wrong-file.ts';

/** Reads the six files of a folder into one buffer: a batch is valid only until the next one is requested. (Allocating a
 *  buffer takes longer than reading a file into it.)
 *  @throws DataError if a file cannot be read or has the wrong size. */
export async function* readFolder(folder: string, signal?: AbortSignal): AsyncGenerator<Batch> {
  const memory = batchMemory();
  for (const name of BATCH_FILES) {
    signal?.throwIfAborted();
    const origin = join(folder, name);
    yield { name, origin, bytes: await readBatch(origin, memory) };
  }
}

/** Memory for one batch after another, allocated when the first one is known to be right. */
export function batchMemory(): () => Uint8Array {
  let memory: Uint8Array | undefined;
  return () => {
    memory ??= new Uint8Array(BATCH_BYTES);
    return memory;
  };
}

/** Turns a file-system error into a DataError that names the path; returns any other error unchanged. */
export function cannotRead(what: string, error: unknown): unknown {
  return fileError(`cannot read ${what}`, error, DataError);
}

/** Names of the entries of a folder. @throws DataError if it cannot be read. */
export async function listFolder(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw cannotRead(folder, error);
  }
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

async function readBatch(path: string, memory: () => Uint8Array): Promise<Uint8Array> {
  try {
    const file = await openRegularFile(path);
    try {
      const { size } = await file.stat();
      if (size !== BATCH_BYTES) await refuse(path, file, size);
      // One read for the whole file: readFile would read half a megabyte at a time.
      const { buffer, bytesRead } = await file.read(memory(), 0, BATCH_BYTES, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/** @throws DataError about a file of the wrong size. */
async function refuse(path: string, file: FileHandle, size: number): Promise<void> {
  const { buffer, bytesRead } = await file.read(new Uint8Array(START_BYTES), 0, START_BYTES, 0);
  const start = buffer.subarray(0, bytesRead);
  if (kindOf(start)) throw wrongKind({ origin: path, start, size }, `${integer(BATCH_BYTES)} bytes of CIFAR-10`);
  checkSize(size, path);
}
