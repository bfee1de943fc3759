import { defaultSearchPaths, locate, type Source } from '../../dataset/locate.ts';
import { DataError } from '../../errors.ts';
import type { Io } from '../terminal/io.ts';
import { ownName } from '../terminal/own-name.ts';

/** Description of each kind of source. */
export const KIND_NAME: Readonly<Record<Source['kind'], string>> = {
  folder: 'a folder with the six binary files',
  archive: 'the binary archive',
  'python-folder': 'a folder with the six Python files',
  'python-archive': 'the Python archive',
  parquet: 'Parquet files',
  'class-folders': 'a folder of PNG or JPEG files for each class',
};

/** Finds the images at a path, or those that training would use.
 *  @throws DataError if there are none. */
export async function findSource(path: string | undefined, io: Io): Promise<Source> {
  const { env } = io;
  const cwd = io.cwd();
  const source = await locate({ path, env, cwd });
  if (source) return source;
  throw new DataError(
    `no CIFAR-10 found in ${defaultSearchPaths(env, cwd).join(', ')}; download it with ${ownName(env)} data download`,
  );
}
