import { open, readFile } from 'node:fs/promises';
import { fileError, writeWhole } from '../files.ts';

/** Appends one line of JSON for each value, and brings them to the disk. @throws FileError if they cannot be written. */
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

/** What the lines hold: undefined for one that is no JSON, nothing for a file that is not there.
 *  @throws FileError if it cannot be read. */
export async function readJsonLines(file: string): Promise<unknown[]> {
  return (await linesOf(file)).map(parse);
}

/** Drops every other line from a file, and makes it if it is not there.
 *  @throws FileError if it cannot be read or written; the old content is kept then. */
export async function keepJsonLines(file: string, isKept: (value: unknown) => boolean): Promise<void> {
  const kept = (await linesOf(file)).filter((line) => isKept(parse(line)));
  await writeWhole(file, kept.map((line) => `${line}\n`).join(''));
}

async function linesOf(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw fileError(`cannot read ${file}`, error);
  });
  return text.split('\n').filter((line) => line !== '');
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
