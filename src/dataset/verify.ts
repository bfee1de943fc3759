import { type Batch, type ReadOptions, sha256Of } from './cifar10.ts';
import type { Source } from './locate.ts';
import { readSource } from './read.ts';
import { compareHashes, readRecord, type Verification, verifyFolder } from './store.ts';

/** Compares the images of a source in any format with the hashes recorded when they were stored, or with the published
 *  hashes if there is no record.
 *  @throws DataError if the source cannot be read. Rejects with the reason of `signal` if it is aborted. */
export async function verifySource(source: Source, options: ReadOptions = {}): Promise<Verification> {
  if (source.kind === 'folder') return verifyFolder(source.path, options);
  const hashes = new Map<string, string>();
  for await (const _ of recordHashes(readSource(source, options), hashes));
  return verifyHashes(source, hashes);
}

/** Passes batches through and records the SHA-256 of each in `hashes` under its name. */
export async function* recordHashes(batches: AsyncIterable<Batch>, hashes: Map<string, string>): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    hashes.set(batch.name, sha256Of(batch.bytes));
    yield batch;
  }
}

/** Compares recorded hashes of a source with the expected ones; see `verifySource`. */
export async function verifyHashes({ kind, path }: Source, hashes: ReadonlyMap<string, string>): Promise<Verification> {
  return compareHashes(hashes, kind === 'folder' ? await readRecord(path) : undefined);
}
