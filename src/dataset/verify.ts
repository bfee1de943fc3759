import { createHash } from 'node:crypto';
import type { Batch } from './cifar10.ts';
import type { Source } from './locate.ts';
import { readSource } from './read.ts';
import { compareHashes, readRecord, type Verification, verifyFolder } from './store.ts';

/** Compares the images of a source of any kind with the published ones or, where they were trusted when they were
 *  stored, with those of that time.
 *  @throws DataError if the source cannot be read. Rejects with the reason of `signal` when that is aborted. */
export async function verifySource(source: Source, signal?: AbortSignal): Promise<Verification> {
  if (source.kind === 'folder') return verifyFolder(source.path, { signal });
  const hashes = new Map<string, string>();
  for await (const _ of recordHashes(readSource(source, signal), hashes));
  return verifyHashes(source, hashes);
}

/** Batches on their way to somebody else; leaves the SHA-256 of each in `hashes`, by its name. */
export async function* recordHashes(batches: AsyncIterable<Batch>, hashes: Map<string, string>): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    hashes.set(batch.name, createHash('sha256').update(batch.bytes).digest('hex'));
    yield batch;
  }
}

/** What hashes that were noted say of the source. */
export async function verifyHashes({ kind, path }: Source, hashes: ReadonlyMap<string, string>): Promise<Verification> {
  return compareHashes(hashes, kind === 'folder' ? await readRecord(path) : undefined);
}
