import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { DataError } from '../errors.ts';
import { ARCHIVE_NAME, BATCH_FILES, BATCH_FOLDER, REPLACEMENT_ADVICE } from './cifar10.ts';
import { containsAnyOf } from './formats/archive.ts';
import { findLayout, holdsAllClasses, summary } from './formats/class-layout.ts';
import { cannotRead, listIfPresent } from './formats/folder.ts';
import { findParquetFolder } from './formats/parquet-folder.ts';
import { PYTHON } from './formats/python/batches.ts';

/** Location and format of the images. */
export interface Source {
  readonly kind: 'folder' | 'archive' | 'python-folder' | 'python-archive' | 'parquet' | 'class-folders';
  readonly path: string;
}

/** Environment variables, as in `process.env`; a type that needs no @types/node. */
export type EnvironmentVariables = Readonly<Record<string, string | undefined>>;

export interface SearchOptions {
  /** Path that the user named. No other place is searched. */
  readonly path?: string | undefined;
  readonly env: EnvironmentVariables;
  /** Folder that relative paths start from. */
  readonly cwd: string;
}

/** Finds CIFAR-10 on the disk: in `path` if it is given; otherwise in $NN_TRAIN_DATA_DIR if it is set; otherwise in ./data,
 *  the cache folder and the folders of Keras and Hugging Face, in this order. Returns undefined if none of them has CIFAR-10.
 *
 *  Each may be a folder with the six files of the binary or the Python version, a folder that contains their folder or
 *  their archive under its published name, or a folder of Parquet files or of pictures in one folder per class. `path`
 *  and $NN_TRAIN_DATA_DIR may also be an archive of any name.
 *  @throws DataError if a path that the user named has no images, if a place cannot be read, or if some of the six files
 *  are missing: an incomplete copy is never skipped. */
export async function locate({ path, env, cwd }: SearchOptions): Promise<Source | undefined> {
  if (path !== undefined) return locateNamed(resolve(cwd, path));
  if (env.NN_TRAIN_DATA_DIR) return locateNamed(resolve(cwd, env.NN_TRAIN_DATA_DIR), 'NN_TRAIN_DATA_DIR');
  for (const path of defaultSearchPaths(env, cwd)) {
    const source = await searchFolder(path, false);
    if (source) return source;
  }
  return undefined;
}

/** Recognises the images at a path that the user named. A file is assumed to be an archive, unless its name is that of a
 *  dataset file; then its folder is meant. Returns undefined for a folder without images.
 *  @throws DataError if the path cannot be read, or if some of the six files are missing. */
export async function recognise(path: string): Promise<Source | undefined> {
  try {
    if ((await stat(path)).isDirectory()) return await searchFolder(path, true);
  } catch (error) {
    throw cannotRead(path, error);
  }
  const [folder, name] = [dirname(path), basename(path)];
  if (DATASET_FILES.includes(name) || name.endsWith('.parquet')) return searchFolder(folder, true);
  const isPython = PYTHON_ARCHIVES.includes(name) || (name !== ARCHIVE_NAME && (await containsAnyOf(path, PYTHON)));
  return { kind: isPython ? 'python-archive' : 'archive', path };
}

/** Folders to search if the user named none. Without a home folder, those in it are left out. */
export function defaultSearchPaths(env: EnvironmentVariables, cwd: string): readonly string[] {
  const keras = env.KERAS_HOME || inHome('.keras');
  const places = [join(cwd, 'data'), cacheFolder(env), keras && join(keras, 'datasets'), huggingFaceCache(env)];
  return places.filter((place) => place !== undefined);
}

/** Folder for downloaded images; undefined if neither XDG_CACHE_HOME nor a home folder is known. */
export function cacheFolder(env: EnvironmentVariables): string | undefined {
  const parent = cacheHome(env);
  return parent && join(parent, 'nn-train');
}

/** Folder where Hugging Face's programs keep what they download. Source: huggingface_hub, constants.py. */
function huggingFaceCache(env: EnvironmentVariables): string | undefined {
  const base = cacheHome(env);
  const home = env.HF_HOME || (base && join(base, 'huggingface'));
  return env.HF_HUB_CACHE || (home && join(home, 'hub'));
}

function cacheHome({ XDG_CACHE_HOME: base }: EnvironmentVariables): string | undefined {
  // The XDG specification requires relative paths to be ignored.
  return base && isAbsolute(base) ? base : inHome('.cache');
}

/** A path in the home folder; undefined without one, as for an unknown user in a container. */
function inHome(name: string): string | undefined {
  try {
    const home = homedir();
    return isAbsolute(home) ? join(home, name) : undefined;
  } catch {
    return undefined;
  }
}

async function locateNamed(path: string, variable?: string): Promise<Source> {
  const description = variable === undefined ? path : `${path} (named by ${variable})`;
  try {
    await stat(path);
  } catch (error) {
    throw cannotRead(description, error);
  }
  const source = await recognise(path);
  if (source) return source;
  throw new DataError(
    `${description} has no CIFAR-10 images: wanted the six files ${BATCH_FILES[0]} to ${BATCH_FILES.at(-1)}, ` +
      `a folder ${BATCH_FOLDER} or ${PYTHON.folder}, an archive ${ARCHIVE_NAME} or ${PYTHON_ARCHIVES[0]}, ` +
      'Parquet files train-*.parquet and test-*.parquet, or pictures in folders such as train/airplane and test/airplane; ' +
      `found ${summary((await listIfPresent(path)) ?? [])}.`,
  );
}

/** Searches a folder for images in any format.
 *  @param isNamed whether the user named the folder; if not, files that may belong to another dataset are skipped. */
async function searchFolder(path: string, isNamed: boolean): Promise<Source | undefined> {
  const names = await listIfPresent(path);
  if (names === undefined) return undefined;
  return (
    (await findVersion(path, names, VERSIONS.binary)) ??
    (await findKeras(path, names)) ??
    (await findVersion(path, names, VERSIONS.python)) ??
    (await findParquet(path, isNamed)) ??
    (await findClassFolders(path, isNamed))
  );
}

interface Version {
  readonly folder: string;
  readonly files: readonly string[];
  readonly archives: readonly string[];
  readonly kinds: { readonly folder: Source['kind']; readonly archive: Source['kind'] };
}

const DATASET_FILES: readonly string[] = [...BATCH_FILES, ...PYTHON.files];
const KERAS_FOLDER = 'cifar-10-batches-py-target';
/** Names of the Python archive: as published, then as renamed by Keras 2 and Keras 3. */
const PYTHON_ARCHIVES: readonly string[] = [
  'cifar-10-python.tar.gz',
  'cifar-10-batches-py.tar.gz',
  `${KERAS_FOLDER}_archive`,
];
const VERSIONS = {
  binary: {
    folder: BATCH_FOLDER,
    files: BATCH_FILES,
    archives: [ARCHIVE_NAME],
    kinds: { folder: 'folder', archive: 'archive' },
  },
  python: {
    ...PYTHON,
    archives: PYTHON_ARCHIVES,
    kinds: { folder: 'python-folder', archive: 'python-archive' },
  },
} as const satisfies Record<string, Version>;

async function findVersion(path: string, names: readonly string[], version: Version): Promise<Source | undefined> {
  const { folder, files, archives, kinds } = version;
  if (files.some((name) => names.includes(name))) return completeFolder(path, names, version);
  const inner = join(path, folder);
  if (names.includes(folder)) return completeFolder(inner, (await listIfPresent(inner)) ?? [], version);
  const archive = archives.find((name) => names.includes(name));
  return archive === undefined ? undefined : { kind: kinds.archive, path: join(path, archive) };
}

function completeFolder(path: string, names: readonly string[], { files, kinds }: Version): Source {
  const missing = files.filter((name) => !names.includes(name));
  if (missing.length === 0) return { kind: kinds.folder, path };
  throw new DataError(
    `${path} has only some of the six CIFAR-10 files; missing: ${missing.join(', ')}. ${REPLACEMENT_ADVICE}`,
  );
}

/** Searches the folder into which Keras 3 unpacks the archive. */
async function findKeras(path: string, names: readonly string[]): Promise<Source | undefined> {
  if (!names.includes(KERAS_FOLDER)) return undefined;
  const inner = join(path, KERAS_FOLDER);
  return findVersion(inner, (await listIfPresent(inner)) ?? [], VERSIONS.python);
}

async function findParquet(path: string, isNamed: boolean): Promise<Source | undefined> {
  const folder = await findParquetFolder(path, isNamed);
  return folder === undefined ? undefined : { kind: 'parquet', path: folder };
}

async function findClassFolders(path: string, isNamed: boolean): Promise<Source | undefined> {
  const isFound = isNamed ? await findLayout(path) : await holdsAllClasses(path);
  return isFound ? { kind: 'class-folders', path } : undefined;
}
