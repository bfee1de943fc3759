import { join } from 'node:path';
import { DataError } from '../../errors.ts';
import { message } from '../../message.ts';
import { readRegularFile } from '../../read-file.ts';
import { type Batch, checkCount, type ReadOptions, TEST_FILE, TRAIN_FILES, trustAdvice } from '../cifar10.ts';
import { type ClassFolders, findLayout, isPictureName, listEntries, missingClasses, summary } from './class-layout.ts';
import { cannotRead } from './folder.ts';
import { batchPictures, type LabelledPicture, UnreadablePictures } from './picture-batches.ts';

const SPLITS = [
  { split: 'train', names: TRAIN_FILES },
  { split: 'test', names: [TEST_FILE] },
] as const;
/** A picture of 32×32 pixels has about 2 kB. */
const MAX_PICTURE_BYTES = 16 * 2 ** 20;
/** Number of files read concurrently. */
const READ_CONCURRENCY = 64;

/** Reads the PNG and JPEG pictures in `train/CLASS/` and `test/CLASS/`, 50,000 and 10,000 in all; see `readSource`. Other
 *  files are left out.
 *
 *  Pictures of all classes are sorted together by file name, with numbers compared by value, then by label. This restores
 *  the original order of files numbered across classes, and otherwise mixes the classes. */
export async function* readClassFolders(folder: string, options: ReadOptions = {}): AsyncGenerator<Batch> {
  const { signal, trust, onNote } = options;
  signal?.throwIfAborted();
  const layout = await findLayout(folder);
  if (layout === undefined) throw new DataError(`${folder} has no pictures in folders such as train/airplane.`);
  for (const note of layout.notes) onNote?.(note);
  // Both splits are counted before any picture is read, so that missing test images are reported at once.
  const splits = [];
  for (const { split, names } of SPLITS) {
    const files = await listPictures(layout[split], options);
    const [origin, count] = [layout[split].path, files.length];
    checkCount(count, names.length, origin, trust);
    splits.push({ files, names, origin, count });
  }
  const unreadable = new UnreadablePictures(splits.reduce((sum, { count }) => sum + count, 0));
  for (const { files, ...split } of splits) {
    yield* batchPictures(readPictures(files), { ...split, unreadable, signal });
  }
  unreadable.check();
}

interface PictureFile {
  readonly path: string;
  readonly label: number;
  readonly sortKey: string;
}

async function listPictures(folders: ClassFolders, { trust, onNote }: ReadOptions): Promise<readonly PictureFile[]> {
  const missing = missingClasses(folders);
  if (missing.length > 0) {
    const only = `${folders.path} has only some of the ten class folders; missing: ${missing.join(', ')}`;
    if (!trust) throw new DataError(message`${only}. ${trustAdvice()}`);
    onNote?.(message`${only}`);
  }
  const files: PictureFile[] = [];
  const others: string[] = [];
  for (const [label, name] of folders.classes) {
    const inner = join(folders.path, name);
    for (const entry of await listEntries(inner)) {
      const path = join(inner, entry.name);
      if (isPictureName(entry.name)) files.push({ path, label, sortKey: sortKey(entry.name) });
      else others.push(join(name, entry.name));
    }
  }
  if (others.length > 0) {
    onNote?.(message`${folders.path} has files other than .png and .jpg, which are left out: ${summary(others)}`);
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
    const reason = cannotRead(path, error);
    if (reason instanceof DataError) return { name: path, label, picture: reason };
    throw reason;
  }
}
