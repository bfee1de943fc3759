import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { findParquetFolder, parquetFiles } from '../../../src/dataset/formats/parquet-folder.ts';
import { locate } from '../../../src/dataset/locate.ts';
import { scratchFolder } from '../../support/cifar10.ts';

const scratch = scratchFolder();

/** Creates empty files; a file that cannot be read counts as one of CIFAR-10. */
function create(...paths: readonly string[]): string {
  const root = mkdtempSync(join(scratch, 'hub-'));
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), '');
  }
  return root;
}

test.each([
  ['the repository', 'plain_text', ['train-00000-of-00001.parquet'], ['test-00000-of-00001.parquet']],
  ['other repositories', 'data', ['train-00000-of-00002.parquet', 'train-00001-of-00002.parquet'], ['test-0.parquet']],
  ['the converted branch', 'plain_text', ['train/0000.parquet', 'train/0001.parquet'], ['test/0000.parquet']],
  ['a converted branch with one configuration', 'default', ['partial-train/0000.parquet'], ['test/0000.parquet']],
])('files are found as in %s', async (_, inner, train, test) => {
  const root = create(...[...train, ...test].map((name) => join(inner, name)));
  const folder = join(root, inner);
  for (const path of [root, folder]) expect(await findParquetFolder(path, false)).toBe(folder);
  expect(await parquetFiles(folder, 'train')).toEqual(train.map((name) => join(name)));
  expect(await parquetFiles(folder, 'test')).toEqual(test.map((name) => join(name)));
});

test("the cache of Hugging Face is searched, its current revision first, and its dataset's folder may be named", async () => {
  const files = ['train-00000-of-00001.parquet', 'test-00000-of-00001.parquet'];
  const dataset = 'hub/datasets--uoft-cs--cifar10';
  const [old, current] = ['0aa1', '9bb2'].map((revision) => join(dataset, 'snapshots', revision, 'plain_text'));
  const root = create(...files.map((name) => join(old, name)), ...files.map((name) => join(dataset, 'blobs', name)));
  const folder = join(root, current);
  mkdirSync(folder, { recursive: true });
  for (const name of files) symlinkSync(join('../../../blobs', name), join(folder, name));
  mkdirSync(join(root, dataset, 'refs'));
  writeFileSync(join(root, dataset, 'refs/main'), '9bb2');

  const found = { kind: 'parquet', path: folder };
  const cwd = join(scratch, 'nowhere');
  for (const path of ['hub', dataset, join(dataset, 'snapshots/9bb2')]) {
    expect(await locate({ path: join(root, path), env: {}, cwd })).toEqual(found);
  }
  const none = { XDG_CACHE_HOME: join(root, 'none'), KERAS_HOME: join(root, 'none') };
  expect(await locate({ env: none, cwd })).toBeUndefined();
  expect(await locate({ env: { ...none, HF_HOME: root }, cwd })).toEqual(found);
  expect(await locate({ env: { ...none, HF_HUB_CACHE: join(root, 'hub') }, cwd })).toEqual(found);
});

test('an incomplete dataset is passed over, unless it is named', async () => {
  const root = create('plain_text/train/0000.parquet');
  expect(await findParquetFolder(root, false)).toBeUndefined();
  expect(await findParquetFolder(root, true)).toBe(join(root, 'plain_text'));
});
