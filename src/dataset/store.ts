import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DataError } from '../errors.ts';
import { syncFolder } from '../files.ts';
import { BATCH_FILES, type Batch, checkBatch, FILE_SHA256 } from './cifar10.ts';
import { withLock } from './download/lock.ts';
import { hashFile } from './download/partial.ts';
import { cannotRead } from './formats/folder.ts';

/** What `source.json` beside the six files says. */
export interface StoreRecord {
  /** Where the images came from: an address or a path. */
  readonly source: string;
  /** SHA-256 of each of the six files, in hexadecimal. */
  readonly files: Readonly<Record<string, string>>;
  /** Whether these are the published hashes. */
  readonly official: boolean;
}

export interface StoreOptions {
  /** Where the six files come to; what is there is replaced. */
  readonly folder: string;
  readonly batches: AsyncIterable<Batch>;
  readonly source: string;
  /** Take images that are not the published ones. */
  readonly trust?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The published hashes, where they are not those of CIFAR-10. */
  readonly published?: Readonly<Record<string, string>> | undefined;
}

const RECORD_NAME = 'source.json';

/** Stores the six files: verified, and all of them or none. They are written into a folder of another name, which is
 *  renamed when the disk has them; a process that dies leaves nothing that could be taken for images.
 *  @throws DataError if a batch is damaged or missing or, without `trust`, not the published one; whatever the file
 *  system throws. Rejects with the reason of `signal` when that is aborted. */
export async function storeBatches(options: StoreOptions): Promise<StoreRecord> {
  const { folder, signal } = options;
  return withLock(
    `${folder}.lock`,
    async () => {
      const temporary = `${folder}.tmp`;
      // What a process left that was killed; nobody else is here, thanks to the lock.
      await rm(temporary, { recursive: true, force: true });
      await mkdir(temporary);
      try {
        const record = await write(temporary, options);
        await publish(temporary, folder);
        return record;
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
    },
    { signal },
  );
}

async function write(folder: string, options: StoreOptions): Promise<StoreRecord> {
  const { batches, source, trust = false, signal, published = FILE_SHA256 } = options;
  const files: Record<string, string> = {};
  for await (const batch of batches) {
    signal?.throwIfAborted();
    checkBatch(batch);
    const sha256 = createHash('sha256').update(batch.bytes).digest('hex');
    if (sha256 !== published[batch.name] && !trust) throw unpublished(batch, sha256, published[batch.name]);
    await writeFile(join(folder, batch.name), batch.bytes, { flush: true });
    files[batch.name] = sha256;
  }
  const missing = BATCH_FILES.filter((name) => !(name in files));
  if (missing.length > 0) throw new DataError(`${source} lacks ${missing.join(', ')}`);
  const record = {
    source,
    files: Object.fromEntries(BATCH_FILES.map((name) => [name, files[name]])),
    official: BATCH_FILES.every((name) => files[name] === published[name]),
  };
  await writeFile(join(folder, RECORD_NAME), `${JSON.stringify(record, undefined, 2)}\n`, { flush: true });
  await syncFolder(folder);
  signal?.throwIfAborted();
  return record;
}

function unpublished({ origin }: Batch, got: string, wanted: string): DataError {
  return new DataError(
    `${origin} has the SHA-256 ${got}, wanted ${wanted}: these are not the published images of CIFAR-10 ` +
      '(re-encoded, reordered or changed). Take another copy, or take this one all the same with --trust (of data download and data import).',
  );
}

async function publish(finished: string, folder: string): Promise<void> {
  const old = `${folder}.old`;
  await rm(old, { recursive: true, force: true });
  if (existsSync(folder)) await rename(folder, old);
  await rename(finished, folder);
  await syncFolder(dirname(folder));
  await rm(old, { recursive: true, force: true });
}

/** How a folder of the six files compares with what it should be. */
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

/** Compares the six files with the published hashes or, where images of another kind were trusted when they were
 *  stored, with those of that time. @throws DataError if a file cannot be read. */
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

/** @param hashes SHA-256 by the name of the file. @param record what those that were trusted should be. */
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

/** Where the images of a folder came from; undefined if they were not stored by this program. */
export async function readRecord(folder: string): Promise<StoreRecord | undefined> {
  const path = join(folder, RECORD_NAME);
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (error instanceof SyntaxError) throw new DataError(`${path} is damaged: ${error.message}`, { cause: error });
    throw cannotRead(path, error);
  }
}
