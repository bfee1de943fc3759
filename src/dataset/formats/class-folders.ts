import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../errors.ts';
import { type Batch, CLASSES, TEST_FILE, TRAIN_FILES } from '../cifar10.ts';
import { cannotRead } from './folder.ts';
import { batchPictures, checkCount, type LabelledPicture } from './picture-batches.ts';

/** The folders of the classes may be named or numbered. */
const SCHEMES: readonly (readonly string[])[] = [CLASSES, CLASSES.map((_, label) => `${label}`)];
const SPLITS = [
  { split: 'train', names: TRAIN_FILES },
  { split: 'test', names: [TEST_FILE] },
] as const;
/** Files that are read at a time. */
const AT_A_TIME = 64;

/** Whether the names of a folder's entries are those of the ten classes. @param numbersToo whether 0 to 9 count. */
export function areClasses(names: readonly string[], numbersToo: boolean): boolean {
  return SCHEMES.slice(0, numbersToo ? 2 : 1).some((scheme) => scheme.every((name) => names.includes(name)));
}

/** Pictures in `train/CLASS/` and `test/CLASS/`, PNG or JPEG, 50,000 and 10,000 in all; see `readSource`. Other files
 *  are passed over.
 *
 *  Their order is that of their file names over all classes, numbers in them by their size, and of the labels where names are
 *  equal: files that are numbered through get their order back, and others come out mixed. */
export async function* readClassFolders(folder: string, signal?: AbortSignal): AsyncGenerator<Batch> {
  signal?.throwIfAborted();
  // Both before any picture is read: who lacks test images shall not wait to learn it.
  const splits = [];
  for (const { split, names } of SPLITS) {
    const origin = join(folder, split);
    const files = await listPictures(origin);
    checkCount(files.length, names, origin);
    splits.push({ files, names, origin });
  }
  for (const { files, ...options } of splits) yield* batchPictures(readPictures(files), { ...options, signal });
}

interface PictureFile {
  readonly path: string;
  readonly label: number;
  readonly sortKey: string;
}

async function listPictures(folder: string): Promise<readonly PictureFile[]> {
  const names = await list(folder);
  const scheme = SCHEMES.find((classes) => classes.some((name) => names.includes(name))) ?? CLASSES;
  const missing = scheme.filter((name) => !names.includes(name));
  if (missing.length > 0) throw new DataError(`${folder} lacks ${missing.join(', ')} of the ten folders of classes.`);
  const files: PictureFile[] = [];
  for (const [label, name] of scheme.entries()) {
    const inner = join(folder, name);
    for (const file of await list(inner)) {
      if (/\.(png|jpe?g)$/i.test(file)) files.push({ path: join(inner, file), label, sortKey: sortKey(file) });
    }
  }
  return files.sort((a, b) => (a.sortKey === b.sortKey ? a.label - b.label : a.sortKey < b.sortKey ? -1 : 1));
}

/** Orders names by their characters, but the numbers in them by their size, the same on every machine. */
function sortKey(name: string): string {
  return name.replace(/\d+/g, (digits) => digits.padStart(20, '0'));
}

async function* readPictures(files: readonly PictureFile[]): AsyncGenerator<LabelledPicture> {
  for (let first = 0; first < files.length; first += AT_A_TIME) {
    yield* await Promise.all(files.slice(first, first + AT_A_TIME).map(read));
  }
}

async function read({ path, label }: PictureFile): Promise<LabelledPicture> {
  try {
    return { name: path, label, picture: await readFile(path) };
  } catch (error) {
    throw cannotRead(path, error);
  }
}

async function list(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw cannotRead(folder, error);
  }
}
