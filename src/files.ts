import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { FileError } from './errors.ts';

/** Replaces a file as a whole: written under a temporary name, brought to the disk, renamed. Whatever happens, the file
 *  holds either its old content or its new one.
 *  @throws FileError if it cannot be written; the old content is kept. */
export async function writeWhole(file: string, content: Uint8Array | string): Promise<void> {
  const temporary = temporaryName(file);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    await syncFolder(path.dirname(file));
  } catch (error) {
    await removeQuietly(temporary);
    throw fileError(`cannot write ${file}`, error);
  }
}

/** Removes what a failed attempt left; a failure to do so must not hide why the attempt failed. */
export async function removeQuietly(target: string): Promise<void> {
  await rm(target, { recursive: true, force: true }).catch(() => {});
}

/** A name beside `target` that nobody else uses. */
export function temporaryName(target: string): string {
  return `${target}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
}

/** Brings a rename to the disk; where a folder cannot be opened for that (Windows), there is nothing to do. */
export async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(folder, 'r');
  } catch {
    return;
  }
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const MEANING: Record<string, string> = {
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'the disk quota is used up',
  EBUSY: 'it is in use; choose another folder with --out',
  EFBIG: 'the file would exceed the size limit of this process',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EROFS: 'the file system is read-only; choose another folder with --out',
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'it is a folder',
};

/** Turns an error of the file system into one clear message; any other error is handed on as it is. */
export function fileError(what: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  if (code === undefined || error instanceof FileError) return error;
  return new FileError(`${what}: ${MEANING[code] ?? (error as Error).message}`, undefined, { cause: error });
}
