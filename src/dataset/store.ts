import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { InferOutput } from 'valibot';
import { DataError } from '../errors.ts';
import { makeFolder, move, remove, removeQuietly, syncFolder } from '../files.ts';
import { withLock } from '../lock/lock.ts';
import { field, message } from '../message.ts';
import { readRegularFile } from '../read-file.ts';
import {
  BATCH_FILES,
  type Batch,
  checkBatch,
  FILE_SHA256,
  isFullSet,
  RECORD_BYTES,
  REPLACEMENT_ADVICE,
  type ReadOptions,
  sha256Of,
  TEST_FILE,
} from './cifar10.ts';
import { isHttp, shownUrl } from './download/address.ts';
import { hashFile } from './download/partial.ts';
import { cannotRead, hasPublishedSizes, readFolder } from './formats/folder.ts';
import type { STORE_RECORD } from './schemas.ts';
import { expectSpace, STORED_BYTES } from './space.ts';

/** Contents of `source.json`, stored next to the six files. */
export type StoreRecord = InferOutput<typeof STORE_RECORD>;

export interface StoreOptions {
  /** Folder for the six files. Replaced if it exists. */
  readonly folder: string;
  readonly batches: AsyncIterable<Batch>;
  readonly source: string;
  /** Accept images that differ from the published ones, in any number. */
  readonly trust?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Published SHA-256 by file name; those of CIFAR-10 by default. */
  readonly published?: Readonly<Record<string, string>> | undefined;
}

const RECORD_NAME = 'source.json';
const MAX_RECORD_BYTES = 1 << 20;

/** Verifies and stores the six files, all or none. They are written to a temporary folder that is renamed once they are on
 *  the disk, so a process that dies leaves nothing that could be mistaken for images.
 *  @throws DataError if a file is damaged or missing or, without `trust`, not the published one. File-system errors are
 *  passed on. Rejects with the reason of `signal` if it is aborted. */
export async function storeBatches(options: StoreOptions): Promise<StoreRecord> {
  const { folder, signal } = options;
  return withLock(
    `${folder}.lock`,
    async () => {
      const temporary = `${folder}.tmp`;
      // Left by a process that was killed: the lock excludes a live one.
      await remove(temporary);
      await expectSpace(dirname(folder), STORED_BYTES);
      await makeFolder(temporary);
      try {
        const record = await write(temporary, options);
        await moveIntoPlace(temporary, folder);
        return record;
      } finally {
        await remove(temporary);
      }
    },
    { signal },
  );
}

async function write(folder: string, options: StoreOptions): Promise<StoreRecord> {
  const { batches, source, trust = false, signal, published = FILE_SHA256 } = options;
  const files: Record<string, string> = {};
  const images = { train: 0, test: 0 };
  for await (const batch of batches) {
    signal?.throwIfAborted();
    checkBatch(batch);
    const sha256 = sha256Of(batch.bytes);
    if (sha256 !== published[batch.name] && !trust) throw hashMismatch(batch, sha256, published[batch.name]);
    await writeFile(join(folder, batch.name), batch.bytes, { flush: true });
    files[batch.name] = sha256;
    images[batch.name === TEST_FILE ? 'test' : 'train'] += batch.bytes.length / RECORD_BYTES;
  }
  const missing = BATCH_FILES.filter((name) => !(name in files));
  if (missing.length > 0) throw new DataError(`${source} is incomplete; missing: ${missing.join(', ')}`);
  const record = {
    source,
    files: Object.fromEntries(BATCH_FILES.map((name) => [name, files[name]])),
    official: BATCH_FILES.every((name) => files[name] === published[name]),
    images,
  };
  await writeFile(join(folder, RECORD_NAME), `${JSON.stringify(record, undefined, 2)}\n`, { flush: true });
  await syncFolder(folder);
  signal?.throwIfAborted();
  return record;
}

function hashMismatch({ origin }: Batch, got: string, wanted: string): DataError {
  return new DataError(
    message`${origin} has SHA-256 ${got}, wanted ${wanted}: these are not the published images of CIFAR-10 (re-encoded, reordered or changed). Use another copy, or accept this one by downloading or importing it with ${field('trust', true)}.`,
  );
}

async function moveIntoPlace(finished: string, folder: string): Promise<void> {
  const old = `${folder}.old`;
  await remove(old);
  if (existsSync(folder)) await move(folder, old);
  await move(finished, folder);
  await syncFolder(dirname(folder));
  await removeQuietly(old);
}

/** Result of comparing the six files with their expected hashes. */
export interface Verification {
  /** Whether all files are the published ones. */
  readonly official: boolean;
  readonly files: readonly FileVerification[];
}

export interface FileVerification {
  readonly name: string;
  /** `null` if the file is missing. */
  readonly sha256: string | null;
  readonly wanted: string;
  readonly ok: boolean;
}

/** Compares the six files with the hashes recorded when they were stored, or with the published hashes if there is no
 *  record. @throws DataError if a file cannot be read. */
export async function verifyFolder(
  folder: string,
  { signal, published = FILE_SHA256 }: Pick<StoreOptions, 'signal' | 'published'> = {},
): Promise<Verification> {
  const record = await readRecord(folder);
  const hashes = new Map<string, string>();
  for (const name of BATCH_FILES) {
    signal?.throwIfAborted();
    const path = join(folder, name);
    const sha256 = await hashFile(path, signal).catch((error) => Promise.reject(cannotRead(path, error)));
    if (sha256 !== undefined) hashes.set(name, sha256);
  }
  return compareHashes(hashes, record, published);
}

/** Compares hashes with those in `record` or, without a record, with the published ones.
 *  @param hashes SHA-256 by file name. */
export function compareHashes(
  hashes: ReadonlyMap<string, string>,
  record: StoreRecord | undefined,
  published: Readonly<Record<string, string>> = FILE_SHA256,
): Verification {
  const files = BATCH_FILES.map((name) => {
    const [sha256, wanted] = [hashes.get(name) ?? null, record?.files[name] ?? published[name]];
    return { name, sha256, wanted, ok: sha256 === wanted };
  });
  return { official: files.every(({ name, sha256 }) => sha256 === published[name]), files };
}

/** Reads the six files of a folder. Other numbers of images than the published ones are accepted on request, and if they
 *  were stored on request: then their SHA-256 must be the recorded ones.
 *  @throws DataError if a file cannot be read, is damaged or has the wrong size. */
export async function* readStored(folder: string, options: ReadOptions = {}): AsyncGenerator<Batch> {
  const record = options.trust || (await hasPublishedSizes(folder)) ? undefined : await readRecord(folder);
  if (record?.images === undefined || isFullSet(record.images)) {
    yield* readFolder(folder, options);
    return;
  }
  for await (const batch of readFolder(folder, { ...options, trust: true })) {
    const sha256 = sha256Of(batch.bytes);
    const wanted = record.files[batch.name];
    if (sha256 === wanted) yield batch;
    else
      throw new DataError(
        `${batch.origin} has SHA-256 ${sha256}, wanted ${wanted} as when it was stored. ${REPLACEMENT_ADVICE}`,
      );
  }
}

/** Reads the record of a folder of images; undefined if the images were not stored by this program. */
export async function readRecord(folder: string): Promise<StoreRecord | undefined> {
  const path = join(folder, RECORD_NAME);
  const refuse = (problem: string) =>
    new DataError(`${path} is damaged: ${problem}; without this file, the images are compared with the published ones`);
  let bytes: Uint8Array;
  try {
    bytes = await readRegularFile(path, MAX_RECORD_BYTES);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cannotRead(path, error);
  }
  const [{ parseJson }, { expectSchema }, { STORE_RECORD }] = await Promise.all([
    import('../documents/json.ts'),
    import('../documents/schema.ts'),
    import('./schemas.ts'),
  ]);
  const content = await parseJson(bytes).catch((error) => Promise.reject(refuse(error.message)));
  const record = expectSchema(STORE_RECORD, content, refuse);
  // Version 0.1.0 stored addresses with their credentials.
  return isHttp(record.source) ? { ...record, source: shownUrl(record.source) } : record;
}
