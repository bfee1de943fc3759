import { join } from 'node:path';
import { DataError } from '../../errors.ts';
import { readRegularFile } from '../../read-file.ts';
import { type Batch, CLASSES, TEST_FILE, TRAIN_FILES } from '../cifar10.ts';
import { cannotRead, listFolder } from './folder.ts';
import { batchPictures, checkCount, type LabelledPicture } from './picture-batches.ts';

/** Folder names by label: class names or numbers. */
const SCHEMES: readonly (readonly string[])[] = [CLASSES, CLASSES.map((_, label) => `${label}`)];
const SPLITS = [
  { split: 'train', names: TRAIN_FILES },
  { split: 'test', names: [TEST_FILE] },
] as const;
/** A picture of 32×32 pixels has about 2 kB. */
const MAX_PICTURE_BYTES = 16 * 2 ** 20;
/** Number of files read concurrently. */
const READ_CONCURRENCY = 64;

/** Whether a list of names includes those of all ten classes. @param allowNumbers whether 0 to 9 are class names too. */
export function areClassNames(names: readonly string[], allowNumbers: boolean): boolean {
  return SCHEMES.slice(0, allowNumbers ? 2 : 1).some((scheme) => scheme.every((name) => names.includes(name)));
}

/** Reads the PNG and JPEG pictures in `train/CLASS/` and `test/CLASS/`, 50,000 and 10,000 in all; see `readSource`. Other
 *  files are ignored.
 *
 *  Pictures of all classes are sorted together by file name, with numbers compared by value, then by label. This restores
 *  the original order of files numbered across classes, and otherwise mixes the classes. */
export async function* readClassFolders(folder: string, signal?: AbortSignal): AsyncGenerator<Batch> {
  signal?.throwIfAborted();
  // Both splits are counted before any picture is read, so that missing test images are reported at once.
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
  const names = await listFolder(folder);
  const scheme = SCHEMES.find((classes) => classes.some((name) => names.includes(name))) ?? CLASSES;
  const missing = scheme.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new DataError(`${folder} has only some of the ten class folders; missing: ${missing.join(', ')}.`);
  }
  const files: PictureFile[] = [];
  for (const [label, name] of scheme.entries()) {
    const inner = join(folder, name);
    for (const file of await listFolder(inner)) {
      if (/\.(png|jpe?g)$/i.test(file)) files.push({ path: join(inner, file), label, sortKey: sortKey(file) });
    }
  }
  return files.sort((a, b) => (a.sortKey === b.sortKey ? a.label - b.label : a.sortKey < b.sortKey ? -1 : 1));
}

/** Key that sorts names by code unit and the numbers in them by value, in the same way on every machine. */
function sortKey(name: string): string {
  return name.replace(/\d+/g, (digits) => digits.padStart(20, '0'));
}

async function* readPictures(files: readonly PictureFile[]): AsyncGenerator<LabelledPicture> {
  for (let first = 0; first < files.length; first += READ_CONCURRENCY) {
    yield* await Promise.all(files.slice(first, first + READ_CONCURRENCY).map(read));
  }
}

async function read({ path, label }: PictureFile): Promise<LabelledPicture> {
  try {
    return { name: path, label, picture: await readRegularFile(path, MAX_PICTURE_BYTES) };
  } catch (error) {
    throw cannotRead(path, error);
  }
}
