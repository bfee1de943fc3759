import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { InferOutput } from 'valibot';
import { makeFolder, move, remove } from '../../files.ts';
import { readRegularFile, statRegularFile } from '../../read-file.ts';
import type { ORIGIN } from '../schemas.ts';

/** Identity of a remote file, as reported by its server. */
export type Origin = InferOutput<typeof ORIGIN>;

const MAX_ORIGIN_BYTES = 2 ** 16;

/** Partially downloaded file, `PATH.part`, with its origin in `PATH.part.json`. Renamed to PATH only when complete. */
export class PartialFile {
  /** Bytes received so far. */
  size = 0;
  /** Origin of the bytes received so far; undefined if there are none. */
  origin: Origin | undefined;
  readonly #target: string;
  readonly #path: string;
  #hash = createHash('sha256');
  #file: FileHandle | undefined;

  constructor(target: string) {
    this.#target = target;
    this.#path = `${target}.part`;
  }

  /** Loads the state left by an earlier attempt. Discards it if it cannot be the beginning of the file at `url`. */
  async load(url: string): Promise<void> {
    this.origin = await readOrigin(`${this.#path}.json`);
    this.size = await sizeOf(this.#path);
    const { total = Infinity } = this.origin ?? {};
    if (this.origin?.url !== url || this.size === 0 || this.size > total) await this.discard();
  }

  get folder(): string {
    return dirname(this.#target);
  }

  get isComplete(): boolean {
    return this.size > 0 && this.size === this.origin?.total;
  }

  /** Opens the file for appending to the existing bytes. */
  async resume(): Promise<void> {
    await this.close();
    await this.#hashExisting();
    this.#file = await open(this.#path, 'a');
  }

  /** Opens an empty file, discarding the existing bytes. */
  async restart(origin: Origin): Promise<void> {
    await this.discard();
    await makeFolder(dirname(this.#path));
    this.#file = await open(this.#path, 'w');
    await writeFile(`${this.#path}.json`, JSON.stringify(origin));
    this.origin = origin;
  }

  async append(chunk: Uint8Array): Promise<void> {
    await this.#file!.writeFile(chunk);
    this.#hash.update(chunk);
    this.size += chunk.length;
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  /** SHA-256 of the bytes received so far, in hexadecimal. */
  async sha256(): Promise<string> {
    if (!this.#file) await this.#hashExisting();
    return this.#hash.copy().digest('hex');
  }

  /** Renames the file to its final name. */
  async finish(): Promise<void> {
    await this.close();
    await move(this.#path, this.#target);
    await remove(`${this.#path}.json`);
  }

  async discard(): Promise<void> {
    await this.close();
    // Bytes first: if the process dies in between, an origin without bytes is harmless.
    await remove(this.#path);
    await remove(`${this.#path}.json`);
    [this.size, this.origin, this.#hash] = [0, undefined, createHash('sha256')];
  }

  async #hashExisting(): Promise<void> {
    this.#hash = await readInto(createHash('sha256'), this.#path);
  }
}

/** SHA-256 of a file in hexadecimal; undefined if the file does not exist. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string | undefined> {
  try {
    await statRegularFile(path);
    return (await readInto(createHash('sha256'), path, signal)).digest('hex');
  } catch (error) {
    signal?.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function readInto(hash: Hash, path: string, signal?: AbortSignal): Promise<Hash> {
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) hash.update(chunk);
  return hash;
}

async function readOrigin(path: string): Promise<Origin | undefined> {
  const [v, { ORIGIN }] = await Promise.all([import('valibot'), import('../schemas.ts')]);
  try {
    return v.parse(ORIGIN, JSON.parse(String(await readRegularFile(path, MAX_ORIGIN_BYTES))));
  } catch {
    // Missing, or truncated because the process died: without an origin the bytes are downloaded again.
    return undefined;
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
