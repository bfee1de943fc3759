import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { FileError, type UserError } from './errors.ts';

/** Replaces a file atomically: writes to a temporary name, syncs to disk, renames. Even after a crash the file holds either
 *  its old content or the new one.
 *  @throws FileError if the file cannot be written; its old content is kept. */
export async function writeFileAtomic(file: string, content: Uint8Array | string): Promise<void> {
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

/** Removes a file or folder after a failed operation, ignoring errors so that they do not hide the original one. */
export async function removeQuietly(target: string): Promise<void> {
  await rm(target, { recursive: true, force: true }).catch(() => {});
}

/** Returns an unused name in the folder of `target`. */
export function temporaryName(target: string): string {
  return `${target}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
}

/** Syncs a folder, so that a rename in it survives a crash. Does nothing where folders cannot be opened (Windows). */
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

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EBUSY: 'it is in use; choose another folder',
  EFBIG: 'the file would exceed the size limit of this process',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only; choose another folder',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'it is a folder',
  ERR_ACCESS_DENIED: "Node's permission model forbids it; allow it with --allow-fs-read or --allow-fs-write",
};

/** Returns in words why a file could not be read or written; undefined for any other error. */
export function fileErrorReason(error: unknown): string | undefined {
  if (!(error instanceof Error && 'code' in error)) return undefined;
  const code = String(error.code);
  if (!('syscall' in error || code.startsWith('ERR_FS_') || code === 'ERR_ACCESS_DENIED')) return undefined;
  // Node's message is "ELOOP: too many symbolic links encountered, open '/a/b'"; the caller names the path.
  return REASONS[code] ?? error.message.split(',')[0];
}

/** Turns a file-system error into a user error that says `what` failed and why; returns any other error unchanged. */
export function fileError(
  what: string,
  error: unknown,
  ErrorClass: new (message: string, options: ErrorOptions) => UserError = FileError,
): unknown {
  const reason = fileErrorReason(error);
  return reason === undefined ? error : new ErrorClass(`${what}: ${reason}`, { cause: error });
}
