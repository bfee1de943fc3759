import { existsSync } from 'node:fs';
import { lstat, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../errors.ts';
import {
  expectUsableName,
  fileError,
  makeFolder,
  move,
  namePart,
  removeQuietly,
  syncFolder,
  temporaryName,
  writeFileAtomic,
} from '../files.ts';
import { localTime } from '../format.ts';
import { field, message } from '../message.ts';

/** What systems put into the top folder of a disk: a disk with nothing else is empty. */
const OF_THE_SYSTEM = new Set([
  'lost+found',
  'System Volume Information',
  '$RECYCLE.BIN',
  '.DS_Store',
  '.fseventsd',
  '.Spotlight-V100',
  '.Trashes',
]);

/** Creates the folder of a run or a sweep, completely or not at all. An empty folder that is already there is filled instead of replaced:
 *  a disk may be mounted on it, or a link lead to it.
 *  @param names of the files. The first is created here, empty; what a killed process leaves in a folder that was already
 *  there lacks the last one, so it is not taken for a run.
 *  @param what it is, for errors. @param write writes the other files to the folder that it is given, in the order of `names`.
 *  @throws UsageError if something other than an empty folder is already there; FileError if it cannot be written. */
export async function createRunFolder(
  folder: string,
  names: readonly string[],
  write: (place: string) => Promise<void>,
  what = 'the run directory',
): Promise<void> {
  await assertNotOccupied(folder);
  const target = path.resolve(folder);
  try {
    await ((await exists(target)) ? fill : build)(target, names, write);
  } catch (error) {
    // Another process may have been faster.
    await assertNotOccupied(folder);
    throw fileError(`cannot create ${what} ${folder}`, error);
  }
}

/** Writes to a temporary folder beside the target and renames it. */
async function build(
  target: string,
  [first]: readonly string[],
  write: (place: string) => Promise<void>,
): Promise<void> {
  const temporary = temporaryName(target);
  try {
    await makeFolder(temporary);
    await writeFileAtomic(path.join(temporary, first), '');
    await write(temporary);
    await move(temporary, target);
    await syncFolder(path.dirname(target));
  } catch (error) {
    await removeQuietly(temporary);
    throw error;
  }
}

/** Writes to an empty folder. */
async function fill(target: string, names: readonly string[], write: (place: string) => Promise<void>): Promise<void> {
  // Fails for a link that leads nowhere.
  await makeFolder(target);
  // Fails if another process has begun to fill it.
  await writeFile(path.join(target, names[0]), '', { flag: 'wx', flush: true });
  try {
    await write(target);
  } catch (error) {
    for (const name of names.toReversed()) await removeQuietly(path.join(target, name));
    throw error;
  }
}

/** Checks that a new run can be saved in a folder.
 *  @throws UsageError if something other than an empty folder is already there, or if Windows reserves a part of its name. */
export async function assertNotOccupied(folder: string): Promise<void> {
  expectUsableName(folder);
  const names = await readdir(folder).catch(() => undefined);
  const isOccupied = names ? names.some((name) => !OF_THE_SYSTEM.has(name)) : existsSync(folder);
  if (!isOccupied) return;
  if (!names) throw new UsageError(message`${folder} is not a folder; set ${field('out')} to another path`);
  const holding = (['config.json', 'sweep.jsonl'] as const).find((name) => names.includes(name));
  if (holding !== undefined) {
    const what = holding === 'config.json' ? 'that run' : 'that sweep';
    throw new UsageError(
      message`${folder} already exists and is kept; set ${field('out')} to another folder, or continue ${what} with ${field('resume', folder)}`,
    );
  }
  throw new UsageError(
    message`${folder} is not empty, and what is in it is kept; set ${field('out')} to another folder, or to a new one in it such as ${path.join(folder, 'run')}`,
  );
}

async function exists(target: string): Promise<boolean> {
  return lstat(target).then(
    () => true,
    () => false,
  );
}

/** Default run directory: runs/<model>-<name>-<date>-<time>, in local time. */
export function defaultFolder(words: readonly string[], now: Date): string {
  const time = localTime(now).replaceAll(/[-:]/g, '').replace(' ', '-');
  return path.join('runs', [...words.map(namePart), time].filter(Boolean).join('-'));
}
