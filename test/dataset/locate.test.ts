import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import type * as ParquetWasm from 'parquet-wasm/node';
import { beforeEach, describe, expect, test } from 'vitest';
import { readFolder } from '../../src/dataset/formats/folder.ts';
import { cacheFolder, defaultSearchPaths, locate, recognise } from '../../src/dataset/locate.ts';
import { DataError } from '../../src/errors.ts';
import { drain, FILE_BYTES, NAMES, rejection, scratchFolder, tarEntry } from '../support/cifar10.ts';

const wasm: typeof ParquetWasm = createRequire(import.meta.url)('parquet-wasm/node');

const scratch = scratchFolder();
let cwd: string;
let env: NodeJS.ProcessEnv;

beforeEach(() => {
  cwd = mkdtempSync(join(scratch, 'cwd-'));
  env = { XDG_CACHE_HOME: join(cwd, 'cache-home'), KERAS_HOME: join(cwd, 'keras') };
});

/** Empty files by their names below cwd; locating looks at names only. */
function put(folder: string, names = NAMES): string {
  const path = join(cwd, folder);
  mkdirSync(path, { recursive: true });
  for (const name of names) writeFileSync(join(path, name), '');
  return path;
}

async function refusal(path?: string): Promise<string> {
  const error = await rejection(locate({ path, env, cwd }));
  expect(error).toBeInstanceOf(DataError);
  expect(error.exitCode).toBe(3);
  return error.message;
}

test('the order is: the path, NN_TRAIN_DATA_DIR, ./data, the cache, Keras', async () => {
  expect(await locate({ env, cwd })).toBeUndefined();
  for (const [place, options] of [
    ['keras/datasets', {}],
    ['cache-home/nn-train', {}],
    ['data', {}],
    ['from-env', { env: { ...env, NN_TRAIN_DATA_DIR: 'from-env' } }],
    ['from-option', { env: { ...env, NN_TRAIN_DATA_DIR: 'from-env' }, path: 'from-option' }],
  ] as const) {
    const path = put(place);
    expect(await locate({ env, cwd, ...options })).toEqual({ kind: 'folder', path });
  }
});

test('an empty NN_TRAIN_DATA_DIR and a relative XDG_CACHE_HOME count as unset', async () => {
  const path = put('data');
  expect(await locate({ env: { ...env, NN_TRAIN_DATA_DIR: '' }, cwd })).toEqual({ kind: 'folder', path });
  expect(cacheFolder({ XDG_CACHE_HOME: 'relative' })).toBe(join(homedir(), '.cache', 'nn-train'));
  expect(defaultSearchPaths({ KERAS_HOME: '' }, cwd).at(-1)).toBe(join(homedir(), '.keras', 'datasets'));
});

test('a place is the folder, a folder above it, one with the archive, or the archive under any name', async () => {
  const folder = put('above/cifar-10-batches-bin');
  expect(await locate({ path: 'above', env, cwd })).toEqual({ kind: 'folder', path: folder });
  const shelf = put('shelf', ['cifar-10-binary.tar.gz', 'mine.tgz']);
  const archive = join(shelf, 'cifar-10-binary.tar.gz');
  expect(await locate({ path: 'shelf', env, cwd })).toEqual({ kind: 'archive', path: archive });
  const mine = join(shelf, 'mine.tgz');
  expect(await locate({ path: mine, env, cwd })).toEqual({ kind: 'archive', path: mine });
});

describe('what other tools leave is found', () => {
  const PYTHON = ['batches.meta', ...NAMES.map((name) => name.replace('.bin', ''))];
  const PARQUET = ['train-00000-of-00001.parquet', 'test-00000-of-00001.parquet'];

  test.each([
    ['torchvision', 'data', 'cifar-10-batches-py', PYTHON, 'python-folder'],
    ['torchvision, not unpacked', 'data', '', ['cifar-10-python.tar.gz'], 'python-archive'],
    ['Keras 2', 'keras/datasets', 'cifar-10-batches-py', PYTHON, 'python-folder'],
    ['Keras 2, not unpacked', 'keras/datasets', '', ['cifar-10-batches-py.tar.gz'], 'python-archive'],
    ['Keras 3', 'keras/datasets', 'cifar-10-batches-py-target/cifar-10-batches-py', PYTHON, 'python-folder'],
    ['Keras 3, not unpacked', 'keras/datasets', '', ['cifar-10-batches-py-target_archive'], 'python-archive'],
    ['Hugging Face', 'data', 'plain_text', PARQUET, 'parquet'],
  ])('%s', async (_, place, inner, names, kind) => {
    const folder = put(join(place, inner), names);
    const path = kind === 'python-archive' ? join(folder, names[0]) : folder;
    expect(await locate({ env, cwd })).toEqual({ kind, path });
    expect(await recognise(join(cwd, place))).toEqual({ kind, path });
    expect(await recognise(path)).toEqual({ kind, path });
  });

  test('pictures in folders of classes; numbered ones, which MNIST has too, only where they are named', async () => {
    const classes = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ');
    for (const name of classes) put(join('data', 'train', name), []);
    expect(await locate({ env, cwd })).toBeUndefined();
    const path = put('data/test', []).replace(/.test$/, '');
    expect(await locate({ env, cwd })).toEqual({ kind: 'class-folders', path });
    rmSync(join(path, 'train'), { recursive: true });
    for (const digit of classes.keys()) put(join('data', 'train', `${digit}`), []);
    expect(await locate({ env, cwd })).toBeUndefined();
    expect(await locate({ path: 'data', env, cwd })).toEqual({ kind: 'class-folders', path });
  });

  test('the binary version comes before the Python version', async () => {
    put('data/cifar-10-batches-py', PYTHON);
    put('data', ['cifar-10-binary.tar.gz']);
    expect(await locate({ env, cwd })).toMatchObject({ kind: 'archive' });
  });

  test('a half of the Python version is refused', async () => {
    const path = put('data/cifar-10-batches-py', PYTHON.slice(0, -2));
    expect(await refusal()).toContain(`${path} lacks data_batch_5, test_batch of the six CIFAR-10 files. Put`);
  });

  test('Parquet files of something else are passed over, unless they are named', async () => {
    const other = new wasm.WriterPropertiesBuilder().build();
    const table = wasm.Table.fromIPCStream(tableToIPC(tableFromArrays({ text: ['a'] }), 'stream'));
    const path = put('data', PARQUET);
    writeFileSync(join(path, PARQUET[0]), wasm.writeParquet(table, other));
    expect(await locate({ env, cwd })).toBeUndefined();
    expect(await locate({ path: 'data', env, cwd })).toEqual({ kind: 'parquet', path });
  });

  test('an archive of any name is known by what is in it, and one of the files stands for its folder', async () => {
    const path = join(cwd, 'mine.tgz');
    writeFileSync(path, Buffer.concat([tarEntry('cifar-10-batches-py/'), tarEntry('cifar-10-batches-py/test_batch')]));
    expect(await recognise(path)).toEqual({ kind: 'python-archive', path });
    writeFileSync(path, Buffer.concat([tarEntry('huge', Buffer.alloc(2 << 20)), tarEntry('test_batch.bin')]));
    expect(await recognise(path)).toEqual({ kind: 'archive', path });
    writeFileSync(path, 'not an archive');
    expect(await recognise(path)).toEqual({ kind: 'archive', path });
    const folder = put('py', PYTHON);
    expect(await recognise(join(folder, 'test_batch'))).toEqual({ kind: 'python-folder', path: folder });
    expect(await recognise(put('empty', []))).toBeUndefined();
    expect((await rejection(recognise(join(cwd, 'nowhere')))).message).toContain(
      'nowhere: there is no such file or folder',
    );
  });
});

describe('a place that the user named', () => {
  test('must exist', async () => {
    expect(await refusal('nowhere')).toBe(
      `cannot read ${join(cwd, 'nowhere')} (named by --data): there is no such file or folder`,
    );
    env = { ...env, NN_TRAIN_DATA_DIR: 'neither' };
    expect(await refusal()).toContain(
      `cannot read ${join(cwd, 'neither')} (named by NN_TRAIN_DATA_DIR): there is no such file or folder`,
    );
  });

  test('must hold images, even where another place has them', async () => {
    put('data');
    const path = put('other', ['cifar-100-python.tar.gz', 'notes.txt']);
    const message = await refusal('other');
    expect(message).toContain(
      `${path} (named by --data) holds no CIFAR-10 images: wanted the six files data_batch_1.bin`,
    );
    expect(message).toMatch(/; found cifar-100-python.tar.gz, notes.txt\.$/);
    put('empty', []);
    expect(await refusal('empty')).toMatch(/; found nothing\.$/);
    put('many', [...'abcdefghijk']);
    expect(await refusal('many')).toMatch(/; found a, b, c, d, e, f, g, h and 3 more\.$/);
  });
});

describe('the usual places', () => {
  test('are passed over if nothing in them looks like CIFAR-10', async () => {
    put('data', ['README.md', 'mnist.gz']);
    put('cache-home/nn-train/download-a1b2c3', ['cifar-10-binary.tar.gz']); // of a run that was killed
    expect(await locate({ env, cwd })).toBeUndefined();
    rmSync(join(cwd, 'data'), { recursive: true });
    put('.', ['data']); // a file
    expect(await locate({ env, cwd })).toBeUndefined();
  });

  test.each(['data', 'cache-home/nn-train', 'data/cifar-10-batches-bin'])(
    'are refused with a half of it: %s',
    async (place) => {
      put('cache-home/nn-train/cifar-10-batches-bin');
      const path = put(
        place,
        NAMES.filter((name) => !/[24]/.test(name)),
      );
      if (place.startsWith('cache')) rmSync(join(path, 'cifar-10-batches-bin'), { recursive: true });
      expect(await refusal()).toMatch(
        `${path} lacks data_batch_2.bin, data_batch_4.bin of the six CIFAR-10 files. Put`,
      );
    },
  );

  test('are refused with an empty folder of its name', async () => {
    const path = put('data/cifar-10-batches-bin', []);
    expect(await refusal()).toContain(`${path} lacks ${NAMES.join(', ')} of`);
  });
});

describe('what cannot be read is named', () => {
  test('a loop of links', async () => {
    symlinkSync('data', join(cwd, 'data'));
    expect(await refusal()).toContain(`cannot read ${join(cwd, 'data')}: ELOOP`);
    expect(await refusal('data')).toContain(`cannot read ${join(cwd, 'data')} (named by --data): ELOOP`);
  });

  // Nothing is forbidden to root.
  test.skipIf(process.getuid?.() === 0)('a folder and a file without permission', async () => {
    const path = put('data');
    truncateSync(join(path, NAMES[0]), FILE_BYTES);
    chmodSync(join(path, NAMES[0]), 0);
    expect((await rejection(drain(readFolder(path)))).message).toContain('permission is denied');
    chmodSync(path, 0);
    expect(await refusal()).toContain(`cannot read ${path}: permission is denied`);
    chmodSync(path, 0o700);
  });

  test('a folder in place of a file, a file that went away', async () => {
    const path = put('data', NAMES.slice(1));
    expect((await rejection(drain(readFolder(path)))).message).toBe(
      `cannot read ${join(path, NAMES[0])}: there is no such file or folder`,
    );
    mkdirSync(join(path, NAMES[0]));
    const error = await rejection(drain(readFolder(path)));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/data_batch_1.bin has .* bytes, wanted 30,730,000/);
  });
});
