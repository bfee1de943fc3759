import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { DataError } from '../errors.ts';
import { ARCHIVE_NAME, BATCH_FILES, BATCH_FOLDER, HOW_TO_MEND } from './cifar10.ts';
import { holdsAnyOf } from './formats/archive.ts';
import { areClasses } from './formats/class-folders.ts';
import { cannotRead } from './formats/folder.ts';
import { mayBeCifar10, parquetFiles } from './formats/parquet.ts';
import { PYTHON } from './formats/python.ts';

/** Where images are, and in which of the forms that they are found in. */
export interface Source {
  readonly kind: 'folder' | 'archive' | 'python-folder' | 'python-archive' | 'parquet' | 'class-folders';
  readonly path: string;
}

export interface SearchOptions {
  /** Named by the user: nowhere else is looked. */
  readonly path?: string | undefined;
  /** With what the user named it, for messages. */
  readonly namedBy?: string;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/** Finds CIFAR-10 on the disk: in `path`, or else $NN_TRAIN_DATA_DIR, or else ./data, the cache folder or the data sets of Keras.
 *
 *  Each may be a folder with the six files of the binary or of the Python version, one that holds their folder or their
 *  archive by the published name, or one with Parquet files or with pictures in folders of classes; the first two also
 *  an archive of any name. `undefined` if there is nothing at all.
 *  @throws DataError if a place that the user named has no images, if a place cannot be read, or if only some of the
 *  files are there: damage is never passed over. */
export async function locate({ path, namedBy = '--data', env, cwd }: SearchOptions): Promise<Source | undefined> {
  if (path !== undefined) return named(resolve(cwd, path), namedBy);
  if (env.NN_TRAIN_DATA_DIR) return named(resolve(cwd, env.NN_TRAIN_DATA_DIR), 'NN_TRAIN_DATA_DIR');
  for (const place of defaultSearchPaths(env, cwd)) {
    const source = await look(place, false);
    if (source) return source;
  }
  return undefined;
}

/** What a file or a folder that the user named holds.
 *  A file is taken for an archive, unless it is one of those that a folder is made of; `undefined` for a folder without images.
 *  @throws DataError if it cannot be read, or if only some of the files are there. */
export async function recognise(path: string): Promise<Source | undefined> {
  try {
    if ((await stat(path)).isDirectory()) return await look(path, true);
  } catch (error) {
    throw cannotRead(path, error);
  }
  const [folder, name] = [dirname(path), basename(path)];
  // Who names one of the files means their folder.
  if (PARTS.includes(name) || name.endsWith('.parquet')) return look(folder, true);
  const isPython = PYTHON_ARCHIVES.includes(name) || (name !== ARCHIVE_NAME && (await holdsAnyOf(path, PYTHON)));
  return { kind: isPython ? 'python-archive' : 'archive', path };
}

/** The places that are searched where the user named none. */
export function defaultSearchPaths(env: NodeJS.ProcessEnv, cwd: string): readonly string[] {
  return [join(cwd, 'data'), cacheFolder(env), join(env.KERAS_HOME || join(homedir(), '.keras'), 'datasets')];
}

/** Where downloads are kept. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const base = env.XDG_CACHE_HOME;
  // The XDG specification: a relative path is to be ignored.
  return join(base && isAbsolute(base) ? base : join(homedir(), '.cache'), 'nn-train');
}

async function named(path: string, namedBy: string): Promise<Source> {
  const what = `${path} (named by ${namedBy})`;
  try {
    await stat(path);
  } catch (error) {
    throw cannotRead(what, error);
  }
  const source = await recognise(path);
  if (source) return source;
  throw new DataError(
    `${what} holds no CIFAR-10 images: wanted the six files ${BATCH_FILES[0]} to ${BATCH_FILES.at(-1)}, ` +
      `a folder ${BATCH_FOLDER} or ${PYTHON.folder}, an archive ${ARCHIVE_NAME} or ${PYTHON_ARCHIVES[0]}, ` +
      'Parquet files train-*.parquet and test-*.parquet, or pictures in folders such as train/airplane and test/airplane; ' +
      `found ${summary((await list(path)) ?? [])}.`,
  );
}

/** @param isNamed whether the user says that CIFAR-10 is there. Where nobody says so, other data sets are passed over. */
async function look(path: string, isNamed: boolean): Promise<Source | undefined> {
  const names = await list(path);
  if (names === undefined) return undefined;
  return (
    (await lookForVersion(path, names, VERSIONS.binary)) ??
    (await lookInKeras(path, names)) ??
    (await lookForVersion(path, names, VERSIONS.python)) ??
    (await lookForParquet(path, isNamed)) ??
    (await lookForClasses(path, names, isNamed))
  );
}

interface Version {
  readonly folder: string;
  readonly files: readonly string[];
  readonly archives: readonly string[];
  readonly kinds: { readonly folder: Source['kind']; readonly archive: Source['kind'] };
}

const PARTS: readonly string[] = [...BATCH_FILES, ...PYTHON.files];
const KERAS_FOLDER = 'cifar-10-batches-py-target';
/** As published; as Keras 2 and Keras 3 keep it. */
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

async function lookForVersion(path: string, names: readonly string[], version: Version): Promise<Source | undefined> {
  const { folder, files, archives, kinds } = version;
  if (files.some((name) => names.includes(name))) return whole(path, names, version);
  const inner = join(path, folder);
  if (names.includes(folder)) return whole(inner, (await list(inner)) ?? [], version);
  const archive = archives.find((name) => names.includes(name));
  return archive === undefined ? undefined : { kind: kinds.archive, path: join(path, archive) };
}

function whole(path: string, names: readonly string[], { files, kinds }: Version): Source {
  const missing = files.filter((name) => !names.includes(name));
  if (missing.length === 0) return { kind: kinds.folder, path };
  throw new DataError(`${path} lacks ${missing.join(', ')} of the six CIFAR-10 files. ${HOW_TO_MEND}`);
}

/** Keras 3 unpacks the archive into a folder of its own. */
async function lookInKeras(path: string, names: readonly string[]): Promise<Source | undefined> {
  if (!names.includes(KERAS_FOLDER)) return undefined;
  const inner = join(path, KERAS_FOLDER);
  return lookForVersion(inner, (await list(inner)) ?? [], VERSIONS.python);
}

async function lookForParquet(path: string, isNamed: boolean): Promise<Source | undefined> {
  // The second is how Hugging Face has them.
  for (const folder of [path, join(path, 'plain_text')]) {
    const names = (await list(folder)) ?? [];
    const [train, test] = [parquetFiles(names, 'train'), parquetFiles(names, 'test')];
    if (isNamed ? train.length + test.length === 0 : train.length === 0 || test.length === 0) continue;
    if (isNamed || (await mayBeCifar10(folder, train[0]))) return { kind: 'parquet', path: folder };
  }
  return undefined;
}

async function lookForClasses(path: string, names: readonly string[], isNamed: boolean): Promise<Source | undefined> {
  if (!names.includes('train') || !names.includes('test')) return undefined;
  const classes = (await list(join(path, 'train'))) ?? [];
  // Folders 0 to 9 are the digits of MNIST more often than not.
  return areClasses(classes, isNamed) ? { kind: 'class-folders', path } : undefined;
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
