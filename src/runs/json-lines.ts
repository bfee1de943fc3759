import { open } from 'node:fs/promises';
import { fileError, writeFileAtomic } from '../files.ts';
import { openRegularFile } from '../read-file.ts';

/** Appends one line of JSON per value and syncs the file to disk. @throws FileError if the file cannot be written. */
export async function appendJsonLines(file: string, values: readonly object[]): Promise<void> {
  try {
    const handle = await open(file, 'a');
    try {
      await handle.appendFile(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileError(`cannot write ${file}`, error);
  }
}

/** Returns the value of every line, undefined for a line that is not valid JSON. A missing file counts as empty.
 *  @throws FileError if the file cannot be read. */
export async function readJsonLines(file: string): Promise<unknown[]> {
  return (await readLines(file)).map(parseOrUndefined);
}

/** Rewrites a file with only the lines whose value passes `isKept`; creates an empty file if it is missing.
 *  @throws FileError if the file cannot be read or written; its old content is then kept. */
export async function filterJsonLines(file: string, isKept: (value: unknown) => boolean): Promise<void> {
  const kept = (await readLines(file)).filter((line) => isKept(parseOrUndefined(line)));
  await writeFileAtomic(file, kept.map((line) => `${line}\n`).join(''));
}

async function readLines(file: string): Promise<string[]> {
  const lines: string[] = [];
  try {
    const handle = await openRegularFile(file);
    for await (const line of handle.readLines()) if (line !== '') lines.push(line);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fileError(`cannot read ${file}`, error);
  }
  return lines;
}

/** Parses JSON; undefined if the text is not valid. */
export function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
