import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../errors.ts';
import { fileError } from '../../files.ts';
import { BATCH_BYTES, BATCH_FILES, type Batch, checkSize } from '../cifar10.ts';

/** Reads the six files of a folder into one buffer: a batch is valid only until the next one is requested. (Allocating a
 *  buffer takes longer than reading a file into it.)
 *  @throws DataError if a file cannot be read or has the wrong size. */
export async function* readFolder(folder: string, signal?: AbortSignal): AsyncGenerator<Batch> {
  const memory = new Uint8Array(BATCH_BYTES);
  for (const name of BATCH_FILES) {
    signal?.throwIfAborted();
    const origin = join(folder, name);
    yield { name, origin, bytes: await readBatch(origin, memory) };
  }
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

async function readBatch(path: string, memory: Uint8Array): Promise<Uint8Array> {
  try {
    // Checked first because opening a named pipe would block forever.
    checkSize((await stat(path)).size, path);
    const file = await open(path);
    try {
      // One read for the whole file: readFile would read half a megabyte at a time.
      const { bytesRead } = await file.read(memory, 0, BATCH_BYTES, 0);
      return memory.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw cannotRead(path, error);
  }
}
