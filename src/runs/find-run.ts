import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { closest } from '../closest.ts';
import { UsageError } from '../errors.ts';
import { fileError } from '../files.ts';

export const CONFIG = 'config.json';
export const LAST = 'last.safetensors';
const BEST = 'best.safetensors';

/** The files without which a folder is not a run. */
const REQUIRED = [CONFIG, LAST];
/** Names at most so many runs in an error. */
const MAX_NAMED = 3;
/** The folder in which training makes the folders of runs. */
const RUNS = 'runs';

/** Finds the folder of a saved run. @param given the folder, or a file in it.
 *  @throws UsageError, naming runs nearby, if there is no run. */
export async function findRun(given: string): Promise<string> {
  const inFile = await isFile(given);
  const folder = inFile ? path.dirname(given) : given;
  const missing = await missingFrom(folder);
  if (missing === undefined) return folder;
  throw new UsageError(
    `${given} is not a run directory${inFile ? ': it is a file, and not one of a run' : missing}${await adviceOn(given)}`,
  );
}

/** The weights that a path names: best for `best.safetensors`, last for `last.safetensors`, otherwise undefined. */
export function weightsNamedBy(given: string): 'last' | 'best' | undefined {
  const name = path.basename(given);
  return name === BEST ? 'best' : name === LAST ? 'last' : undefined;
}

/** Whether a folder is a saved run. */
export async function isRun(folder: string): Promise<boolean> {
  const files = await Promise.all(REQUIRED.map((name) => stat(path.join(folder, name)).catch(() => undefined)));
  return files.every((file) => file?.isFile());
}

async function isFile(given: string): Promise<boolean> {
  return (await stat(given).catch(() => undefined))?.isFile() ?? false;
}

/** Says what a folder lacks to be a run; undefined if it is one. */
async function missingFrom(folder: string): Promise<string | undefined> {
  try {
    const names = await readdir(folder);
    const missing = REQUIRED.filter((name) => !names.includes(name));
    return missing.length === 0 ? undefined : `: it has no ${missing.join(' and no ')}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ': there is no such folder';
    throw fileError(`${folder} is not a run directory`, error, UsageError);
  }
}

async function adviceOn(given: string): Promise<string> {
  const runs = await runsNear(given);
  const near = closest(
    path.basename(given),
    runs.map((run) => path.basename(run)),
  );
  const meant = runs.find((run) => path.basename(run) === near);
  if (meant !== undefined) return `. Did you mean '${meant}'?`;
  if (runs.length > 0) return `; the latest runs nearby are ${runs.slice(0, MAX_NAMED).join(', ')}`;
  return '; give the directory that training printed as "saved", such as runs/linear-20261124-091500';
}

/** Runs in a folder, beside it and in `runs`, the latest first. */
async function runsNear(given: string): Promise<string[]> {
  const found = new Map<string, { readonly run: string; readonly time: number }>();
  // The root may hold disks and networks that answer slowly.
  const places = [given, path.dirname(given), RUNS].filter((place) => path.resolve(place) !== path.parse(place).root);
  for (const place of places) {
    for (const name of await readdir(place).catch(() => [])) {
      const run = path.join(place, name);
      const files = await Promise.all(REQUIRED.map((file) => stat(path.join(run, file)).catch(() => undefined)));
      if (files.every((file) => file !== undefined)) found.set(path.resolve(run), { run, time: files[1]!.mtimeMs });
    }
  }
  return [...found.values()].sort((a, b) => b.time - a.time).map(({ run }) => run);
}
