import { join } from 'node:path';
import { DataError } from '../../errors.ts';
import { type Batch, checkCount, REPLACEMENT_ADVICE, type ReadOptions, TEST_FILE, TRAIN_FILES } from '../cifar10.ts';
import { openParquet, readRowGroups } from './parquet-file.ts';
import { parquetFiles } from './parquet-folder.ts';
import { batchPictures, type LabelledPicture, UnreadablePictures } from './picture-batches.ts';

// CIFAR-10 as published on Hugging Face (uoft-cs/cifar10): Parquet files with a column `img`, a struct of the `bytes` and
// the `path` of a PNG, and a column `label`.
//
// The training rows follow the order of the files in the Python archive: data_batch_4, 3, 2, 5, 1, because the conversion
// script (cifar10.py in huggingface/datasets) iterated over the archive. So batchPictures names the batches by their hashes.

const SPLITS = [
  { split: 'train', names: TRAIN_FILES },
  { split: 'test', names: [TEST_FILE] },
] as const;

/** Reads the images of a folder of Parquet files, one row group at a time; see `readSource`. */
export async function* readParquet(folder: string, { signal, trust }: ReadOptions = {}): AsyncGenerator<Batch> {
  signal?.throwIfAborted();
  const splits = [];
  for (const { split, names } of SPLITS) splits.push({ split, names, files: await parquetFiles(folder, split) });
  const missing = splits.find(({ files }) => files.length === 0);
  if (missing)
    throw new DataError(`${folder} has no Parquet file of ${missing.split} images, ${missing.split}-*.parquet.`);
  // Both splits are counted before any picture is read, so that missing test images are reported at once.
  const counted = [];
  for (const { split, names, files } of splits) {
    const paths = files.map((name) => join(folder, name));
    const origin = paths.length === 1 ? paths[0] : `${folder} (${split})`;
    const count = await countRows(paths);
    checkCount(count, names.length, origin, trust);
    counted.push({ paths, names, origin, count });
  }
  const unreadable = new UnreadablePictures(counted.reduce((sum, { count }) => sum + count, 0));
  for (const { paths, ...split } of counted) yield* batchPictures(readRows(paths), { ...split, unreadable, signal });
  unreadable.check();
}

async function countRows(paths: readonly string[]): Promise<number> {
  let count = 0;
  for (const path of paths) {
    const { handle, metadata } = await openParquet(path);
    await handle.close();
    count += Number(metadata.num_rows);
  }
  return count;
}

async function* readRows(paths: readonly string[]): AsyncGenerator<LabelledPicture> {
  for (const path of paths) {
    const parquet = await openParquet(path);
    try {
      let row = 0;
      for await (const rows of readRowGroups(parquet)) {
        for (const { image, label } of rows) {
          const name = `image ${row++} of ${path} (counting from 0)`;
          const picture =
            image?.bytes instanceof Uint8Array
              ? image.bytes
              : new DataError(`${name} has no bytes. ${REPLACEMENT_ADVICE}`);
          const isInteger = typeof label === 'bigint' || typeof label === 'number';
          yield { name, label: isInteger ? Number(label) : Number.NaN, picture };
        }
      }
    } finally {
      await parquet.handle.close();
    }
  }
}
