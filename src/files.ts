import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileError, UsageError, type UserError } from './errors.ts';

/** Replaces a file atomically: writes to a temporary name, syncs to disk, renames. Even after a crash the file holds either
 *  its old content or the new one.
 *  @throws FileError if the file cannot be written; its old content is kept. UsageError for a name that Windows reserves. */
export async function writeFileAtomic(file: string, content: Uint8Array | string): Promise<void> {
  expectUsableName(file);
  const temporary = temporaryName(file);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await move(temporary, file);
    await syncFolder(path.dirname(file));
  } catch (error) {
    await removeQuietly(temporary);
    throw fileError(`cannot write ${file}`, error);
  }
}

/** Creates a folder and the missing ones above it, one by one: a recursive mkdir of Node reports a read-only disk as a
 *  missing folder, and never ends in /proc. Does nothing if the folder exists.
 *  @throws the error of the file system; UsageError for a name that Windows reserves. */
export async function makeFolder(folder: string): Promise<void> {
  expectUsableName(folder);
  const target = path.resolve(folder);
  const parent = path.dirname(target);
  try {
    await mkdir(target);
  } catch (error) {
    if (await isFolder(target)) return;
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === target) throw error;
    await makeFolder(parent);
    await mkdir(target).catch(async (again) => {
      if (!(await isFolder(target))) throw again;
    });
  }
  await syncFolder(parent);
}

/** Whether a path leads to a folder. */
export async function isFolder(target: string): Promise<boolean> {
  const stats = await stat(target).catch(() => undefined);
  return stats?.isDirectory() ?? false;
}

/** Longest wait for a file that another program holds open, in milliseconds. */
const MAX_HELD_MS = 20_000;

/** Renames a file or folder, replacing a file. Windows refuses while another program, such as a virus scanner or an indexer,
 *  has the source or the target open; these let go within seconds, so it is tried again. */
export async function move(from: string, to: string): Promise<void> {
  let waited = 0;
  for (let delay = 10; ; delay = Math.min(2 * delay, 1000)) {
    try {
      return await rename(from, to);
    } catch (error) {
      if (!isHeldOpen(error) || waited >= MAX_HELD_MS) throw error;
      // The code of other systems: no waiting makes room for it.
      if (await isFolder(to)) throw Object.assign(error as Error, { code: 'EISDIR' });
    }
    await sleep(delay);
    waited += delay;
  }
}

function isHeldOpen(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return process.platform === 'win32' && syscall === 'rename' && ['EPERM', 'EACCES', 'EBUSY'].includes(code ?? '');
}

/** Removes a file or a folder with its contents. Does nothing if there is none. */
export async function remove(target: string): Promise<void> {
  // As for `move`: Node tries again after 100, 200, … ms.
  await rm(target, { recursive: true, force: true, maxRetries: process.platform === 'win32' ? 10 : 0 });
}

/** Removes a file or folder after a failed operation, ignoring errors so that they do not hide the original one. */
export async function removeQuietly(target: string): Promise<void> {
  await remove(target).catch(() => {});
}

/** Returns an unused name in the folder of `target`. */
export function temporaryName(target: string): string {
  return `${target}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
}

/** Syncs a folder, so that a rename in it survives a crash. Not every system can: Windows refuses, and so do network and
 *  shared folders. The files in it are synced all the same, so an error is ignored. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {}
}

/** Device names, and characters that no name may contain. */
const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\.|$)/i;
const FORBIDDEN = /[<>:"|?*]/;

/** @throws UsageError on Windows if a part of the path cannot be the name of a file there. Node would create some of them, but
 *  no other program could open or delete them. */
export function expectUsableName(file: string): void {
  if (process.platform !== 'win32') return;
  const names = file.slice(path.win32.parse(file).root.length).split(/[\\/]/);
  for (const name of names) {
    const problem = nameProblem(name);
    if (problem !== undefined) throw new UsageError(`Windows does not allow the name '${name}' in ${file}: ${problem}`);
  }
}

/** Longest part of a name in bytes: systems allow 255 for the whole. */
const MAX_PART = 100;

/** Turns a text into a part of a name that every system accepts: letters, digits, dots, underscores and single hyphens. It may be
 *  empty, and is not a whole name, which could be one that Windows reserves. */
export function namePart(text: string): string {
  const words = text
    .normalize('NFC')
    .replaceAll(/[^\p{L}\p{M}\p{N}._]+/gu, '-')
    .replaceAll(/^[-.]+|[-.]+$/g, '');
  const letters = [...words];
  while (Buffer.byteLength(letters.join('')) > MAX_PART) letters.pop();
  return letters.join('');
}

/** A file that cannot be read although the system would open it. The message is the reason: 'it is a named pipe'. */
export class ReadError extends Error {
  override readonly name = 'ReadError';
}

function nameProblem(name: string): string | undefined {
  if (DEVICE.test(name)) return 'it is the name of a device; choose another';
  if (FORBIDDEN.test(name)) return 'names cannot contain any of < > : " | ? *';
  if (/[. ]$/.test(name) && name !== '.' && name !== '..') return 'names cannot end in a dot or a space';
  return undefined;
}

/** By code, or by call and code for what is left after `makeFolder` and `move` have done what they can. */
const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EBUSY: 'another program uses it, or a disk is mounted there; choose another folder',
  EFBIG: 'the file would exceed the size limit of this process',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only; choose another folder',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'it is a folder',
  ERR_ACCESS_DENIED: "Node's permission model forbids it; allow it with --allow-fs-read or --allow-fs-write",
  EEXIST: 'something else is already there',
  ENAMETOOLONG: 'the name is too long',
  'mkdir ENOENT': 'no folder can be created there; choose another folder',
  'mkdir EEXIST': 'a part of the path is a file or a link that leads nowhere, not a folder',
  'mkdir EINVAL': 'the file system does not accept this name',
  'open EINVAL': 'the file system does not accept this name',
  ENXIO: 'it is a socket, or a device that is not there',
  EIO: 'the device has an input/output error',
  ESTALE: 'the server replaced the file; open it again',
  EUCLEAN: 'the file system is damaged',
  EBADMSG: 'the file system found damaged data',
  ENOLCK: 'the file system has no locks left',
  ENOKEY: 'the folder is encrypted and locked',
  EKEYEXPIRED: 'permission has expired; log in again',
  EKEYREVOKED: 'permission was revoked; log in again',
  EKEYREJECTED: 'permission was refused; log in again',
  ENOMEDIUM: 'there is no medium in the drive',
};

/** Numbers of the errors that Node cannot name: it says 'Unknown system error -122'. */
const UNNAMED: Partial<Record<NodeJS.Platform, Readonly<Record<number, string>>>> = {
  linux: {
    37: 'ENOLCK',
    74: 'EBADMSG',
    116: 'ESTALE',
    117: 'EUCLEAN',
    122: 'EDQUOT',
    123: 'ENOMEDIUM',
    126: 'ENOKEY',
    127: 'EKEYEXPIRED',
    128: 'EKEYREVOKED',
    129: 'EKEYREJECTED',
  },
  darwin: { 69: 'EDQUOT', 70: 'ESTALE', 77: 'ENOLCK', 94: 'EBADMSG' },
};

/** Returns in words why a file could not be read or written; undefined for any other error. */
export function fileErrorReason(error: unknown): string | undefined {
  if (error instanceof ReadError) return error.message;
  if (!(error instanceof Error && 'code' in error)) return undefined;
  const code = UNNAMED[process.platform]?.[-Number((error as NodeJS.ErrnoException).errno)] ?? String(error.code);
  if (!('syscall' in error || code.startsWith('ERR_FS_') || code === 'ERR_ACCESS_DENIED')) return undefined;
  if (isHeldOpen(error)) return 'another program keeps it open, or permission is denied';
  if (code.startsWith('Unknown system error')) return `the system reports error ${code.split('-')[1]}`;
  // Node's message is "ELOOP: too many symbolic links encountered, open '/a/b'"; the caller names the path.
  const { syscall } = error as NodeJS.ErrnoException;
  return REASONS[`${syscall} ${code}`] ?? REASONS[code] ?? error.message.split(',')[0];
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
