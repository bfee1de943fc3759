import type { Batch, ReadOptions } from './cifar10.ts';
import { readArchive } from './formats/archive.ts';
import { readClassFolders } from './formats/class-folders.ts';
import { readParquet } from './formats/parquet.ts';
import { readPythonArchive, readPythonFolder } from './formats/python/batches.ts';
import type { Source } from './locate.ts';
import { readStored } from './store.ts';

const READERS: Readonly<Record<Source['kind'], (path: string, options: ReadOptions) => AsyncIterable<Batch>>> = {
  folder: readStored,
  archive: readArchive,
  'python-folder': readPythonFolder,
  'python-archive': readPythonArchive,
  parquet: readParquet,
  'class-folders': readClassFolders,
};

/** Reads a source in any format as the six files of the binary version, in the order of the source. The bytes of a batch
 *  are valid only until the next batch is requested. With `trust`, a split may have any number of images.
 *  @throws DataError if the source cannot be read, is damaged, or lacks images. Rejects with the reason of `signal` if it
 *  is aborted. */
export function readSource({ kind, path }: Source, options: ReadOptions = {}): AsyncIterable<Batch> {
  return READERS[kind](path, options);
}
