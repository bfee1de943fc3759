import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../errors.ts';
import { fileError } from '../../files.ts';
import { BATCH_BYTES, BATCH_FILES, type Batch, checkSize } from '../cifar10.ts';

/** The six files of a folder, one after the other, all in the same memory: a batch is gone when the next one is asked
 *  for. (New memory for each would cost more time than reading the file into it.)
 *  @throws DataError if a file cannot be read or is not of the right size. */
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

async function readBatch(path: string, memory: Uint8Array): Promise<Uint8Array> {
  try {
    // Asked first, because opening a pipe would wait for ever.
    checkSize((await stat(path)).size, path);
    const file = await open(path);
    try {
      // One request for the whole file: readFile would ask for half a megabyte at a time.
      const { bytesRead } = await file.read(memory, 0, BATCH_BYTES, 0);
      return memory.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw cannotRead(path, error);
  }
}
