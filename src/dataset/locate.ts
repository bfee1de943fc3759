import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { DataError } from '../errors.ts';
import { ARCHIVE_NAME, BATCH_FILES, BATCH_FOLDER, HOW_TO_MEND } from './cifar10.ts';
import { cannotRead } from './folder.ts';

/** Where images are: a folder with the six files, or the archive. */
export interface Source {
  readonly kind: 'folder' | 'archive';
  readonly path: string;
}

export interface SearchOptions {
  /** Named by the user: nowhere else is looked. */
  readonly path?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/** Finds CIFAR-10 on the disk: in `path`, or else $NN_TRAIN_DATA_DIR, or else ./data, or else the cache folder.
 *  Each may be the folder with the six files, a folder that holds `cifar-10-batches-bin/` or `cifar-10-binary.tar.gz`,
 *  and the first two also an archive of any name. `undefined` if there is nothing at all.
 *  @throws DataError if a place that the user named has no images, if a place cannot be read, or if only some of the
 *  files are there: damage is never passed over. */
export async function locate({ path, env, cwd }: SearchOptions): Promise<Source | undefined> {
  if (path !== undefined) return named(resolve(cwd, path), '--data');
  if (env.NN_TRAIN_DATA_DIR) return named(resolve(cwd, env.NN_TRAIN_DATA_DIR), 'NN_TRAIN_DATA_DIR');
  for (const place of usualPlaces(env, cwd)) {
    const source = await look(place);
    if (source) return source;
  }
  return undefined;
}

/** The places that are searched where the user named none. */
export function usualPlaces(env: NodeJS.ProcessEnv, cwd: string): readonly string[] {
  return [join(cwd, 'data'), cacheFolder(env)];
}

/** Where downloads are kept. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const base = env.XDG_CACHE_HOME;
  // The XDG specification: a relative path is to be ignored.
  return join(base && isAbsolute(base) ? base : join(homedir(), '.cache'), 'nn-train');
}

async function named(path: string, namedBy: string): Promise<Source> {
  try {
    if (!(await stat(path)).isDirectory()) return { kind: 'archive', path };
  } catch (error) {
    throw cannotRead(`${path} (named by ${namedBy})`, error);
  }
  const source = await look(path);
  if (source) return source;
  throw new DataError(
    `${path} (named by ${namedBy}) holds no CIFAR-10 images: wanted the six files ${BATCH_FILES[0]} to ` +
      `${BATCH_FILES.at(-1)}, a folder ${BATCH_FOLDER} or the archive ${ARCHIVE_NAME}; ` +
      `found ${summary((await list(path)) ?? [])}.`,
  );
}

async function look(path: string): Promise<Source | undefined> {
  const names = await list(path);
  if (names === undefined) return undefined;
  if (BATCH_FILES.some((name) => names.includes(name))) return whole(path, names);
  const inner = join(path, BATCH_FOLDER);
  if (names.includes(BATCH_FOLDER)) return whole(inner, (await list(inner)) ?? []);
  if (names.includes(ARCHIVE_NAME)) return { kind: 'archive', path: join(path, ARCHIVE_NAME) };
  return undefined;
}

function whole(path: string, names: readonly string[]): Source {
  const missing = BATCH_FILES.filter((name) => !names.includes(name));
  if (missing.length === 0) return { kind: 'folder', path };
  throw new DataError(`${path} lacks ${missing.join(', ')} of the six CIFAR-10 files. ${HOW_TO_MEND}`);
}

/** The names in a folder, or `undefined` if there is no such folder. */
async function list(folder: string): Promise<readonly string[] | undefined> {
  try {
    return await readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw cannotRead(folder, error);
  }
}

function summary(names: readonly string[]): string {
  const LIMIT = 8;
  if (names.length === 0) return 'nothing';
  const more = names.length > LIMIT ? ` and ${names.length - LIMIT} more` : '';
  return names.slice(0, LIMIT).join(', ') + more;
}
