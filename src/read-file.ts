import { createReadStream, type Stats } from 'node:fs';
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { ReadError } from './files.ts';
import { integer } from './format.ts';

// A path that a user gives may lead to anything. To open a named pipe waits for a writer, and holds the process even when
// it is told to stop; a device such as /dev/zero has no end. So the kind of a file is asked before it is opened, and a
// limit stands on what is read of it.

/** Reads a whole file of known kind and size.
 *  @throws ReadError if it is not a regular file or has more than `maxBytes`; file-system errors are passed on. */
export async function readRegularFile(path: string, maxBytes: number): Promise<Buffer> {
  const { size } = await statRegularFile(path);
  if (size > maxBytes) throw tooLarge(integer(size), maxBytes);
  return readFile(path);
}

/** Opens a regular file for reading; see `readRegularFile`. */
export async function openRegularFile(path: string): Promise<FileHandle> {
  await statRegularFile(path);
  return open(path);
}

/** Status of a regular file. @throws ReadError if it is anything else. */
export async function statRegularFile(path: string): Promise<Stats> {
  const status = await stat(path);
  if (!status.isFile()) throw new ReadError(`it is ${typeOf(status)}, wanted a regular file`);
  return status;
}

/** Reads the first bytes of a regular file, `count` or all that there are. */
export async function readStart(path: string, count: number): Promise<Uint8Array> {
  const file = await openRegularFile(path);
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(count), 0, count, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Reads a file, a pipe or a device to its end. The caller must not hold up signals: a named pipe without a writer waits.
 *  @param source path or stream.
 *  @throws ReadError if it has more than `maxBytes`; file-system errors are passed on. */
export async function readToEnd(source: string | AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of typeof source === 'string' ? createReadStream(source) : source) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(`more than ${integer(maxBytes)}`, maxBytes);
  }
  return Buffer.concat(chunks);
}

function tooLarge(size: string, maxBytes: number): ReadError {
  return new ReadError(`it has ${size} bytes, wanted at most ${integer(maxBytes)}`);
}

function typeOf(status: Stats): string {
  if (status.isDirectory()) return 'a folder';
  if (status.isFIFO()) return 'a named pipe';
  if (status.isSocket()) return 'a socket';
  return 'a device';
}
