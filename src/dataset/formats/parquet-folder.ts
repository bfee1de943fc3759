import { join } from 'node:path';
import { readRegularFile } from '../../read-file.ts';
import { listIfPresent } from './folder.ts';
import { openParquet, WrongColumns } from './parquet-file.ts';

// Where the Parquet files of CIFAR-10 lie:
//   train-00000-of-00001.parquet, test-…      the repository uoft-cs/cifar10, in plain_text; others have them in data
//   plain_text/train/0000.parquet, …/test/…   the branch refs/convert/parquet, which Hugging Face makes of any dataset
//   datasets--uoft-cs--cifar10/snapshots/REVISION/plain_text/…   the cache of huggingface_hub

export type Split = 'train' | 'test';

/** Folders of the files below the one that a user names. */
const INNER_FOLDERS = ['plain_text', 'data', 'default', 'cifar10'];
/** Folder of the dataset in the cache of huggingface_hub. */
const CACHED = 'datasets--uoft-cs--cifar10';

/** The files of a split, as paths relative to the folder; none if the folder does not exist. */
export async function parquetFiles(folder: string, split: Split): Promise<readonly string[]> {
  const names = (await listIfPresent(folder)) ?? [];
  const isOfSplit = (name: string) => name.startsWith(split) && /^([-_.].*)?\.parquet$/.test(name.slice(split.length));
  const files = names.filter(isOfSplit).sort();
  if (files.length > 0) return files;
  for (const inner of [split, `partial-${split}`].filter((name) => names.includes(name))) {
    const parts = ((await listIfPresent(join(folder, inner))) ?? []).filter((name) => name.endsWith('.parquet')).sort();
    if (parts.length > 0) return parts.map((name) => join(inner, name));
  }
  return [];
}

/** Searches a folder for the Parquet files of CIFAR-10, and returns the folder that holds both splits.
 *  @param isNamed whether the user named the folder. If so, one split and other columns count too, for an error that tells
 *  what is wrong with them; if not, they are likely to belong to another dataset. */
export async function findParquetFolder(path: string, isNamed: boolean): Promise<string | undefined> {
  for (const base of [path, ...(await snapshots(path)), ...(await snapshots(join(path, CACHED)))]) {
    for (const folder of [base, ...INNER_FOLDERS.map((name) => join(base, name))]) {
      const [train, test] = await Promise.all([parquetFiles(folder, 'train'), parquetFiles(folder, 'test')]);
      if (isNamed ? train.length + test.length === 0 : train.length === 0 || test.length === 0) continue;
      if (isNamed || (await mayBeCifar10(join(folder, train[0])))) return folder;
    }
  }
  return undefined;
}

/** Revisions of a dataset in the cache of huggingface_hub, the current one first. */
async function snapshots(dataset: string): Promise<readonly string[]> {
  const folder = join(dataset, 'snapshots');
  const revisions = (await listIfPresent(folder)) ?? [];
  if (revisions.length === 0) return [];
  const current = String(await readRegularFile(join(dataset, 'refs', 'main'), 100).catch(() => '')).trim();
  const order = [...revisions].sort((a, b) => Number(b === current) - Number(a === current));
  return order.map((revision) => join(folder, revision));
}

/** Whether a training file may be CIFAR-10: true if it has the right columns or cannot be read. */
async function mayBeCifar10(trainFile: string): Promise<boolean> {
  try {
    const { handle } = await openParquet(trainFile);
    await handle.close();
    return true;
  } catch (error) {
    return !(error instanceof WrongColumns);
  }
}
