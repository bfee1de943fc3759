import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FileError } from '../errors.ts';
import { megabytes } from '../format.ts';
import { BATCH_BYTES, BATCH_FILES } from './cifar10.ts';

/** Bytes of the six files. */
export const STORED_BYTES = BATCH_FILES.length * BATCH_BYTES;

/** Checks that a folder, which need not exist yet, has room for some bytes. Where that is not known, goes on.
 *  @throws FileError if it has not. */
export async function expectSpace(folder: string, bytes: number): Promise<void> {
  const free = await freeBytes(folder);
  if (free === undefined || free >= bytes) return;
  const [got, wanted] = [free, bytes].map(megabytes);
  throw new FileError(
    `cannot store the images in ${folder}: ${wanted} are needed, and ${got} are free; ` +
      'free some space, or choose another folder with XDG_CACHE_HOME',
  );
}

async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize, blocks } = await statfs(folder);
    // Some file systems on a network say 0 for everything.
    return blocks === 0 ? undefined : bavail * bsize;
  } catch (error) {
    const parent = dirname(folder);
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && parent !== folder ? freeBytes(parent) : undefined;
  }
}
