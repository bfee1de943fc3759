import { join } from 'node:path';
import { DataError } from '../../errors.ts';
import { type Batch, REPLACEMENT_ADVICE, TEST_FILE, TRAIN_FILES } from '../cifar10.ts';
import { openParquet, readRowGroups } from './parquet-file.ts';
import { parquetFiles } from './parquet-folder.ts';
import { batchPictures, type LabelledPicture } from './picture-batches.ts';

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
export async function* readParquet(folder: string, signal?: AbortSignal): AsyncGenerator<Batch> {
  const splits = [];
  for (const { split, names } of SPLITS) splits.push({ split, names, files: await parquetFiles(folder, split) });
  const missing = splits.find(({ files }) => files.length === 0);
  if (missing)
    throw new DataError(`${folder} has no Parquet file of ${missing.split} images, ${missing.split}-*.parquet.`);
  for (const { split, names, files } of splits) {
    const paths = files.map((name) => join(folder, name));
    const origin = paths.length === 1 ? paths[0] : `${folder} (${split})`;
    yield* batchPictures(readRows(paths), { names, origin, signal });
  }
}

async function* readRows(paths: readonly string[]): AsyncGenerator<LabelledPicture> {
  for (const path of paths) {
    const parquet = await openParquet(path);
    try {
      let row = 0;
      for await (const rows of readRowGroups(parquet)) {
        for (const { image, label } of rows) {
          const name = `image ${row++} of ${path} (counting from 0)`;
          if (!(image?.bytes instanceof Uint8Array)) throw new DataError(`${name} has no bytes. ${REPLACEMENT_ADVICE}`);
          const isInteger = typeof label === 'bigint' || typeof label === 'number';
          yield { name, label: isInteger ? Number(label) : Number.NaN, picture: image.bytes };
        }
      }
    } finally {
      await parquet.handle.close();
    }
  }
}
