import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { AsyncBuffer, FileMetaData } from 'hyparquet';
import { DataError } from '../../errors.ts';
import { type Batch, REPLACEMENT_ADVICE, TEST_FILE, TRAIN_FILES } from '../cifar10.ts';
import { cannotRead, listFolder } from './folder.ts';
import { batchPictures, type LabelledPicture } from './picture-batches.ts';

// CIFAR-10 as published on Hugging Face (uoft-cs/cifar10): Parquet files with a column `img`, a struct of the `bytes` and
// the `path` of a PNG, and a column `label`.
//
// The training rows follow the order of the files in the Python archive: data_batch_4, 3, 2, 5, 1, because the conversion
// script (cifar10.py in huggingface/datasets) iterated over the archive. So batchPictures names the batches by their hashes.

const COLUMNS = ['img', 'label'];
/** Maximum decompressed size of a page, which normally has a few megabytes. Larger pages are not decompressed. */
const MAX_PAGE_BYTES = 256 * 2 ** 20;

type Split = 'train' | 'test';
const SPLITS = [
  { split: 'train', names: TRAIN_FILES },
  { split: 'test', names: [TEST_FILE] },
] as const;

/** Selects the files of a split from the names in a folder, such as `train-00000-of-00001.parquet`. */
export function parquetFiles(names: readonly string[], split: Split): readonly string[] {
  return names
    .filter((name) => name.startsWith(split) && /^([-_.].*)?\.parquet$/.test(name.slice(split.length)))
    .sort();
}

/** Reads the images of a folder of Parquet files, one row group at a time; see `readSource`. */
export async function* readParquet(folder: string, signal?: AbortSignal): AsyncGenerator<Batch> {
  const present = await listFolder(folder);
  const splits = SPLITS.map(({ split, names }) => ({ split, names, files: parquetFiles(present, split) }));
  const missing = splits.find(({ files }) => files.length === 0);
  if (missing)
    throw new DataError(`${folder} has no Parquet file of ${missing.split} images, ${missing.split}-*.parquet.`);
  for (const { split, names, files } of splits) {
    const paths = files.map((name) => join(folder, name));
    const origin = paths.length === 1 ? paths[0] : `${folder} (${split})`;
    yield* batchPictures(readRows(paths), { names, origin, signal });
  }
}

/** Whether a training file may be CIFAR-10: true if it has the right columns or cannot be read. */
export async function mayBeCifar10(folder: string, trainFile: string): Promise<boolean> {
  try {
    const { handle } = await openParquet(join(folder, trainFile));
    await handle.close();
    return true;
  } catch (error) {
    return !(error instanceof WrongColumns);
  }
}

/** The file lacks the columns of CIFAR-10, so it belongs to another dataset. */
class WrongColumns extends DataError {}

async function* readRows(paths: readonly string[]): AsyncGenerator<LabelledPicture> {
  for (const path of paths) {
    let row = 0;
    for await (const rows of readRowGroups(path)) {
      for (const { img, label } of rows) {
        const name = `image ${row++} of ${path} (counting from 0)`;
        if (!(img?.bytes instanceof Uint8Array)) throw new DataError(`${name} has no bytes. ${REPLACEMENT_ADVICE}`);
        const isInteger = typeof label === 'bigint' || typeof label === 'number';
        yield { name, label: isInteger ? Number(label) : Number.NaN, picture: img.bytes };
      }
    }
  }
}

interface Row {
  readonly img?: { readonly bytes?: unknown };
  readonly label?: unknown;
}

async function* readRowGroups(path: string): AsyncGenerator<readonly Row[]> {
  const { handle, file, metadata } = await openParquet(path);
  try {
    let rowStart = 0;
    for (const { num_rows } of metadata.row_groups) {
      const rowEnd = rowStart + Number(num_rows);
      yield await readRowGroup(path, { file, metadata, rowStart, rowEnd });
      rowStart = rowEnd;
    }
  } finally {
    await handle.close();
  }
}

interface RowRange {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly rowStart: number;
  readonly rowEnd: number;
}

async function readRowGroup(path: string, range: RowRange): Promise<readonly Row[]> {
  const { parquetReadObjects, snappyUncompress } = await import('hyparquet');
  const SNAPPY = (input: Uint8Array, length: number) => {
    if (length > MAX_PAGE_BYTES) throw new Error(`a page has ${length} bytes, wanted at most ${MAX_PAGE_BYTES}`);
    const output = new Uint8Array(length);
    snappyUncompress(input, output);
    return output;
  };
  try {
    // utf8: false keeps the image bytes from being decoded as text.
    return (await parquetReadObjects({ ...range, columns: COLUMNS, utf8: false, compressors: { SNAPPY } })) as Row[];
  } catch (error) {
    throw asDataError(path, error);
  }
}

async function openParquet(path: string): Promise<{ handle: FileHandle; file: AsyncBuffer; metadata: FileMetaData }> {
  const { parquetMetadataAsync } = await import('hyparquet');
  let handle: FileHandle | undefined;
  try {
    handle = await open(path);
    const file = buffer(handle, (await handle.stat()).size);
    const metadata = await parquetMetadataAsync(file);
    const names = metadata.schema.map(({ name }) => name);
    const missing = COLUMNS.filter((name) => !names.includes(name));
    if (missing.length === 0) return { handle, file, metadata };
    const found = names.slice(1, 9).join(', ');
    throw new WrongColumns(
      `${path} has the columns ${found}; wanted ${COLUMNS.join(' and ')}, as in CIFAR-10 on Hugging Face`,
    );
  } catch (error) {
    await handle?.close();
    throw asDataError(path, error);
  }
}

function buffer(handle: FileHandle, byteLength: number): AsyncBuffer {
  const slice = async (start: number, end = byteLength) => {
    if (start < 0 || end > byteLength) throw new Error(`it refers to bytes ${start} to ${end}, but has ${byteLength}`);
    const bytes = new Uint8Array(end - start);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
    return bytes.buffer.slice(0, bytesRead);
  };
  return { byteLength, slice };
}

function asDataError(path: string, error: unknown): unknown {
  if (error instanceof DataError) return error;
  const known = cannotRead(path, error);
  if (known !== error) return known;
  const reason = error instanceof Error ? error.message : String(error);
  return new DataError(`${path} is not a complete Parquet file: ${reason}. ${REPLACEMENT_ADVICE}`, { cause: error });
}
