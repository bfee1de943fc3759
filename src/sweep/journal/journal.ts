import { open } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { expectSchema, isObject } from '../../documents/schema.ts';
import { UserError } from '../../errors.ts';
import { fileError, writeFileAtomic } from '../../files.ts';
import { readRegularFile } from '../../read-file.ts';
import { appendJsonLines, parseOrUndefined } from '../../runs/json-lines.ts';
import { decodeSpace } from '../space/schemas.ts';
import { EVENT, type EventLine, JOURNAL_VERSION, SWEEP, type SweepLine } from './lines.ts';

/** Name of the journal in the folder of a sweep. */
export const JOURNAL = 'sweep.jsonl';
/** Far more than ten thousand trials of a hundred epochs have. */
const MAX_JOURNAL_BYTES = 2 ** 30;

/** What a journal holds. */
export interface JournalContent {
  readonly sweep: SweepLine;
  readonly events: readonly EventLine[];
  /** Bytes of its complete lines. A process that died while it wrote leaves a part of a line after them. */
  readonly completeBytes: number;
  readonly isTorn: boolean;
}

/** Creates the journal of a new sweep. @throws FileError if it cannot be written. */
export async function createJournal(folder: string, sweep: SweepLine): Promise<void> {
  await writeFileAtomic(path.join(folder, JOURNAL), `${JSON.stringify(sweep)}\n`);
}

/** Appends lines, which are on the disk when this resolves. @throws FileError if they cannot be written. */
export async function appendToJournal(folder: string, lines: readonly EventLine[]): Promise<void> {
  await appendJsonLines(path.join(folder, JOURNAL), lines);
}

/** Cuts off the part of a line that a journal ends with, so that lines can be appended again.
 *  @throws FileError if it cannot be written. */
export async function cutTornLine(folder: string, { completeBytes }: JournalContent): Promise<void> {
  const file = path.join(folder, JOURNAL);
  try {
    const handle = await open(file, 'r+');
    try {
      await handle.truncate(completeBytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileError(`cannot write ${file}`, error);
  }
}

/** Reads the journal of a sweep, also while another process writes it.
 *  @throws UserError if there is none, if a complete line is damaged, or if it has another version; FileError if it cannot be
 *  read. */
export async function readJournal(folder: string): Promise<JournalContent> {
  const file = path.join(folder, JOURNAL);
  const bytes = await readRegularFile(file, MAX_JOURNAL_BYTES).catch((error) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fileError(`cannot read ${file}`, error);
    throw new UserError(`${folder} is not a sweep: it has no ${JOURNAL}; give the folder that the sweep printed`);
  });
  return parseJournal(bytes, file);
}

/** Returns what the bytes of a journal say. @param file its path, for errors. @throws as `readJournal` does. */
export function parseJournal(bytes: Uint8Array, file: string): JournalContent {
  const completeBytes = bytes.lastIndexOf(0x0a) + 1;
  const [first, ...others] = new TextDecoder().decode(bytes.subarray(0, completeBytes)).split('\n').slice(0, -1);
  if (first === undefined) {
    throw new UserError(
      `${file} is incomplete: its first line is cut off, so nothing is known of the sweep; remove its folder`,
    );
  }
  return {
    sweep: decodeSweep(parseOrUndefined(first), file),
    events: others.map((line, i) => decodeEvent(parseOrUndefined(line), `line ${i + 2} of ${file}`)),
    completeBytes,
    isTorn: completeBytes < bytes.length,
  };
}

function decodeSweep(value: unknown, file: string): SweepLine {
  const refuse = (problem: string) =>
    new UserError(`${file} is not the journal of a sweep: in its first line, ${problem}`);
  if (isObject(value) && 'version' in value && value.version !== JOURNAL_VERSION) {
    const { version, nnTrain } = value as { version: unknown; nnTrain?: unknown };
    throw new UserError(
      `${file} has version ${version} of the journal's format, wanted ${JOURNAL_VERSION}; ` +
        `continue the sweep with the version of nn-train that began it${typeof nnTrain === 'string' ? `, ${nnTrain}` : ''}`,
    );
  }
  const line = expectSchema(SWEEP, value, refuse);
  // Sweeps that began before there was int8 do not say their precision.
  return { ...line, base: { precision: 'int16', ...line.base }, space: decodeSpace(line.space, refuse) };
}

function decodeEvent(value: unknown, origin: string): EventLine {
  if (v.is(EVENT, value)) return value;
  return expectSchema(EVENT, value, (problem) => {
    return new UserError(`${origin} is damaged: ${problem}; restore the file, or remove this line and those after it`);
  });
}
