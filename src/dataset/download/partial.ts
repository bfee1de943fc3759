import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What the server said of the file that is being fetched. */
export interface Origin {
  readonly url: string;
  /** A strong ETag or a Last-Modified: as long as it is the same, the file is. */
  readonly validator?: string | undefined;
  /** Bytes of the whole file. */
  readonly total?: number | undefined;
}

/** The beginning of a file that is being fetched, `PATH.part`, and beside it `PATH.part.json`, which says of what.
 *  Under its own name the file is there only when it is whole. */
export class PartialFile {
  /** Bytes so far. */
  size = 0;
  /** Of the bytes so far; undefined if there are none. */
  origin: Origin | undefined;
  readonly #target: string;
  readonly #path: string;
  #hash = createHash('sha256');
  #file: FileHandle | undefined;

  constructor(target: string) {
    this.#target = target;
    this.#path = `${target}.part`;
  }

  /** Looks at what an earlier attempt left, and forgets it unless it can be the beginning of that address's file. */
  async recall(url: string): Promise<void> {
    this.origin = await readOrigin(`${this.#path}.json`);
    this.size = await sizeOf(this.#path);
    const { total = Infinity } = this.origin ?? {};
    if (this.origin?.url !== url || this.size === 0 || this.size > total) await this.discard();
  }

  get isWhole(): boolean {
    return this.size > 0 && this.size === this.origin?.total;
  }

  /** Opens the file to add to what is there. */
  async proceed(): Promise<void> {
    await this.close();
    await this.#hashBeginning();
    this.#file = await open(this.#path, 'a');
  }

  /** Opens the file without what was there. */
  async restart(origin: Origin): Promise<void> {
    await this.discard();
    await mkdir(dirname(this.#path), { recursive: true });
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

  /** SHA-256 of all bytes so far, in hexadecimal. */
  async sha256(): Promise<string> {
    if (!this.#file) await this.#hashBeginning();
    return this.#hash.copy().digest('hex');
  }

  /** Gives the file its name. */
  async finish(): Promise<void> {
    await this.close();
    await rename(this.#path, this.#target);
    await rm(`${this.#path}.json`, { force: true });
  }

  async discard(): Promise<void> {
    await this.close();
    // First the bytes: what is left if the process dies between the two must not be taken for more than it is.
    await rm(this.#path, { force: true });
    await rm(`${this.#path}.json`, { force: true });
    [this.size, this.origin, this.#hash] = [0, undefined, createHash('sha256')];
  }

  async #hashBeginning(): Promise<void> {
    this.#hash = await readInto(createHash('sha256'), this.#path);
  }
}

/** SHA-256 of a file in hexadecimal; undefined if there is none. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string | undefined> {
  try {
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
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    // Not there, or cut off when the process died: then nothing is known of the bytes, and they are fetched again.
    return undefined;
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
