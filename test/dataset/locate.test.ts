import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import type * as ParquetWasm from 'parquet-wasm/node';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { readFolder } from '../../src/dataset/formats/folder.ts';
import { cacheFolder, defaultSearchPaths, locate, recognise } from '../../src/dataset/locate.ts';
import { DataError } from '../../src/errors.ts';
import { drain, FILE_BYTES, NAMES, rejection, scratchFolder, tarEntry } from '../support/cifar10.ts';

vi.mock('node:os', async (importOriginal) => {
  const os = await importOriginal<typeof import('node:os')>();
  return { ...os, homedir: vi.fn(os.homedir) };
});

const wasm: typeof ParquetWasm = createRequire(import.meta.url)('parquet-wasm/node');

const scratch = scratchFolder();
let cwd: string;
let env: NodeJS.ProcessEnv;

beforeEach(() => {
  cwd = mkdtempSync(join(scratch, 'cwd-'));
  env = { XDG_CACHE_HOME: join(cwd, 'cache-home'), KERAS_HOME: join(cwd, 'keras') };
});

/** Creates a folder of empty files below cwd. Their names are enough, because `locate` does not read them. */
function create(folder: string, names = NAMES): string {
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

test('the search order is the path, NN_TRAIN_DATA_DIR, ./data, the cache, Keras', async () => {
  expect(await locate({ env, cwd })).toBeUndefined();
  for (const [place, options] of [
    ['keras/datasets', {}],
    ['cache-home/nn-train', {}],
    ['data', {}],
    ['from-env', { env: { ...env, NN_TRAIN_DATA_DIR: 'from-env' } }],
    ['from-option', { env: { ...env, NN_TRAIN_DATA_DIR: 'from-env' }, path: 'from-option' }],
  ] as const) {
    const path = create(place);
    expect(await locate({ env, cwd, ...options })).toEqual({ kind: 'folder', path });
  }
});

test.each(['unknown', 'relative'])('a home folder that is %s is left out', async (kind) => {
  const findHome = () => {
    if (kind === 'relative') return 'home';
    throw new Error('A system error occurred: uv_os_homedir returned ENOENT (no such file or directory)');
  };
  for (let n = 0; n < 4; n++) vi.mocked(homedir).mockImplementationOnce(findHome);
  expect(defaultSearchPaths({}, cwd)).toEqual([join(cwd, 'data')]);
  expect(cacheFolder({})).toBeUndefined();
});

test('an empty NN_TRAIN_DATA_DIR and a relative XDG_CACHE_HOME count as unset', async () => {
  const path = create('data');
  expect(await locate({ env: { ...env, NN_TRAIN_DATA_DIR: '' }, cwd })).toEqual({ kind: 'folder', path });
  expect(cacheFolder({ XDG_CACHE_HOME: 'relative' })).toBe(join(homedir(), '.cache', 'nn-train'));
  expect(defaultSearchPaths({ KERAS_HOME: '' }, cwd).at(-2)).toBe(join(homedir(), '.keras', 'datasets'));
});

test('a path may be the folder, its parent, a folder with the archive, or an archive of any name', async () => {
  const folder = create('above/cifar-10-batches-bin');
  expect(await locate({ path: 'above', env, cwd })).toEqual({ kind: 'folder', path: folder });
  const shelf = create('shelf', ['cifar-10-binary.tar.gz', 'mine.tgz']);
  const archive = join(shelf, 'cifar-10-binary.tar.gz');
  expect(await locate({ path: 'shelf', env, cwd })).toEqual({ kind: 'archive', path: archive });
  const mine = join(shelf, 'mine.tgz');
  expect(await locate({ path: mine, env, cwd })).toEqual({ kind: 'archive', path: mine });
});

describe('the files of other tools are found', () => {
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
    const folder = create(join(place, inner), names);
    const path = kind === 'python-archive' ? join(folder, names[0]) : folder;
    expect(await locate({ env, cwd })).toEqual({ kind, path });
    expect(await recognise(join(cwd, place))).toEqual({ kind, path });
    expect(await recognise(path)).toEqual({ kind, path });
  });

  test('class folders; numbered ones, which MNIST has too, only if the user names the path', async () => {
    const classes = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ');
    for (const name of classes) create(join('data', 'train', name), []);
    expect(await locate({ env, cwd })).toBeUndefined();
    const path = create('data/test/cat', []).replace(/.test.cat$/, '');
    expect(await locate({ env, cwd })).toEqual({ kind: 'class-folders', path });
    rmSync(join(path, 'train'), { recursive: true });
    for (const digit of classes.keys()) create(join('data', 'train', `${digit}`), []);
    expect(await locate({ env, cwd })).toBeUndefined();
    expect(await locate({ path: 'data', env, cwd })).toEqual({ kind: 'class-folders', path });
  });

  test('the binary version is preferred to the Python version', async () => {
    create('data/cifar-10-batches-py', PYTHON);
    create('data', ['cifar-10-binary.tar.gz']);
    expect(await locate({ env, cwd })).toMatchObject({ kind: 'archive' });
  });

  test('an incomplete Python version is refused', async () => {
    const path = create('data/cifar-10-batches-py', PYTHON.slice(0, -2));
    expect(await refusal()).toContain(
      `${path} has only some of the six CIFAR-10 files; missing: data_batch_5, test_batch. Replace`,
    );
  });

  test('Parquet files of another dataset are skipped, unless the user names the path', async () => {
    const other = new wasm.WriterPropertiesBuilder().build();
    const table = wasm.Table.fromIPCStream(tableToIPC(tableFromArrays({ text: ['a'] }), 'stream'));
    const path = create('data', PARQUET);
    writeFileSync(join(path, PARQUET[0]), wasm.writeParquet(table, other));
    expect(await locate({ env, cwd })).toBeUndefined();
    expect(await locate({ path: 'data', env, cwd })).toEqual({ kind: 'parquet', path });
  });

  test('an archive of any name is recognised by its contents, and a dataset file stands for its folder', async () => {
    const path = join(cwd, 'mine.tgz');
    writeFileSync(path, Buffer.concat([tarEntry('cifar-10-batches-py/'), tarEntry('cifar-10-batches-py/test_batch')]));
    expect(await recognise(path)).toEqual({ kind: 'python-archive', path });
    writeFileSync(path, Buffer.concat([tarEntry('huge', Buffer.alloc(2 << 20)), tarEntry('test_batch.bin')]));
    expect(await recognise(path)).toEqual({ kind: 'archive', path });
    writeFileSync(path, 'not an archive');
    expect(await recognise(path)).toEqual({ kind: 'archive', path });
    const folder = create('py', PYTHON);
    expect(await recognise(join(folder, 'test_batch'))).toEqual({ kind: 'python-folder', path: folder });
    expect(await recognise(create('empty', []))).toBeUndefined();
    expect((await rejection(recognise(join(cwd, 'nowhere')))).message).toContain('nowhere: no such file or folder');
  });
});

describe('a path that the user named', () => {
  test('must exist', async () => {
    expect(await refusal('nowhere')).toBe(`cannot read ${join(cwd, 'nowhere')}: no such file or folder`);
    env = { ...env, NN_TRAIN_DATA_DIR: 'neither' };
    expect(await refusal()).toContain(
      `cannot read ${join(cwd, 'neither')} (named by NN_TRAIN_DATA_DIR): no such file or folder`,
    );
  });

  test('must have images, even if another place has them', async () => {
    create('data');
    const path = create('other', ['cifar-100-python.tar.gz', 'notes.txt']);
    const message = await refusal('other');
    expect(message).toContain(`${path} has no CIFAR-10 images: wanted the six files data_batch_1.bin`);
    expect(message).toMatch(/; found cifar-100-python.tar.gz, notes.txt\.$/);
    create('empty', []);
    expect(await refusal('empty')).toMatch(/; found nothing\.$/);
    create('many', [...'abcdefghijk']);
    expect(await refusal('many')).toMatch(/; found a, b, c, d, e, f, g, h and 3 more\.$/);
  });
});

describe('the default search paths', () => {
  test('are skipped if nothing in them looks like CIFAR-10', async () => {
    create('data', ['README.md', 'mnist.gz']);
    create('cache-home/nn-train/download-a1b2c3', ['cifar-10-binary.tar.gz']); // left by a run that was killed
    expect(await locate({ env, cwd })).toBeUndefined();
    rmSync(join(cwd, 'data'), { recursive: true });
    create('.', ['data']); // a file
    expect(await locate({ env, cwd })).toBeUndefined();
  });

  test.each(['data', 'cache-home/nn-train', 'data/cifar-10-batches-bin'])(
    'are refused if they are incomplete: %s',
    async (place) => {
      create('cache-home/nn-train/cifar-10-batches-bin');
      const path = create(
        place,
        NAMES.filter((name) => !/[24]/.test(name)),
      );
      if (place.startsWith('cache')) rmSync(join(path, 'cifar-10-batches-bin'), { recursive: true });
      expect(await refusal()).toMatch(
        `${path} has only some of the six CIFAR-10 files; missing: data_batch_2.bin, data_batch_4.bin. Replace`,
      );
    },
  );

  test('are refused with an empty dataset folder', async () => {
    const path = create('data/cifar-10-batches-bin', []);
    expect(await refusal()).toContain(
      `${path} has only some of the six CIFAR-10 files; missing: ${NAMES.join(', ')}. `,
    );
  });
});

describe('an unreadable path is named in the error:', () => {
  test('a circular link', async () => {
    symlinkSync('data', join(cwd, 'data'));
    expect(await refusal()).toContain(`cannot read ${join(cwd, 'data')}: ELOOP`);
    expect(await refusal('data')).toContain(`cannot read ${join(cwd, 'data')}: ELOOP`);
  });

  // Root may read everything.
  test.skipIf(process.getuid?.() === 0)('a folder and a file without permission', async () => {
    const path = create('data');
    truncateSync(join(path, NAMES[0]), FILE_BYTES);
    chmodSync(join(path, NAMES[0]), 0);
    expect((await rejection(drain(readFolder(path)))).message).toContain('permission denied');
    chmodSync(path, 0);
    expect(await refusal()).toContain(`cannot read ${path}: permission denied`);
    chmodSync(path, 0o700);
  });

  test('a missing file, or a folder in place of a file', async () => {
    const path = create('data', NAMES.slice(1));
    expect((await rejection(drain(readFolder(path)))).message).toBe(
      `cannot read ${join(path, NAMES[0])}: no such file or folder`,
    );
    mkdirSync(join(path, NAMES[0]));
    const error = await rejection(drain(readFolder(path)));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toContain('data_batch_1.bin: it is a folder, wanted a regular file');
  });
});
