import type { Batch } from './cifar10.ts';
import { readArchive } from './formats/archive.ts';
import { readClassFolders } from './formats/class-folders.ts';
import { readFolder } from './formats/folder.ts';
import { readParquet } from './formats/parquet.ts';
import { readPythonArchive, readPythonFolder } from './formats/python.ts';
import type { Source } from './locate.ts';

const READERS: Readonly<Record<Source['kind'], (path: string, signal?: AbortSignal) => AsyncIterable<Batch>>> = {
  folder: readFolder,
  archive: readArchive,
  'python-folder': readPythonFolder,
  'python-archive': readPythonArchive,
  parquet: readParquet,
  'class-folders': readClassFolders,
};

/** CIFAR-10 from a source of any kind, as the six files of the binary version, in the order that the source has them
 *  in. The bytes of a batch are gone when the next one is asked for.
 *  @throws DataError if the source cannot be read, is damaged, or lacks images. Rejects with the reason of `signal` when
 *  that is aborted. */
export function readSource({ kind, path }: Source, signal?: AbortSignal): AsyncIterable<Batch> {
  return READERS[kind](path, signal);
}
