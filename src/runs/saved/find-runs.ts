import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../../errors.ts';
import { fileError } from '../../files.ts';
import { findRun, isRun } from '../find-run.ts';

/** Levels of folders between a folder and the runs in it, such as those of several seeds. */
const MAX_DEPTH = 2;

/** Finds the saved runs in a folder, down to two levels, by name; if it is a run itself or a file of one, that run.
 *  @throws UsageError if the folder cannot be read or does not exist. */
export async function findRuns(given: string): Promise<string[]> {
  const names = await readdir(given).catch((error) => error);
  // The error of a path that is no folder names runs nearby.
  if (['ENOENT', 'ENOTDIR'].includes(names.code) || (await isRun(given))) return [await findRun(given)];
  if (names instanceof Error) throw fileError(`cannot read the folder ${given}`, names, UsageError);
  return runsIn(given, MAX_DEPTH);
}

/** Runs in a folder, its subfolders and so on; what cannot be read holds none. */
async function runsIn(folder: string, depth: number): Promise<string[]> {
  if (depth === 0) return [];
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  // A run that is being created has a temporary name.
  const folders = entries.filter(
    (entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.endsWith('.tmp'),
  );
  const places = folders.map(({ name }) => path.join(folder, name)).sort();
  const found = await Promise.all(
    places.map(async (place) => ((await isRun(place)) ? [place] : await runsIn(place, depth - 1))),
  );
  return found.flat();
}
