import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodePicture } from '../../../src/pictures/decode.ts';
import {
  batchEntries,
  batchFile,
  NAMES,
  scratchFolder,
  TAR_END,
  tarEntry,
  writeBatchFiles,
} from '../../support/cifar10.ts';
import { PYTHON_NAMES, pythonFile } from '../../support/cifar10-versions.ts';
import { OWN_NAME } from '../../support/cli.ts';
import { Home, serve } from './home.ts';

const ARCHIVE = Buffer.concat([...batchEntries(), TAR_END]);
const images = path.join(scratchFolder(), 'images');
let home: Home;

beforeAll(() => {
  writeBatchFiles(images);
});

beforeEach(() => {
  home = new Home();
});

describe('data import', () => {
  it('converts any format into the cache, but other images only with --trust', async () => {
    const refused = await home.data(['import', images]);
    expect([refused.code, refused.stdout]).toEqual([3, '']);
    expect(refused.stderr).toMatch(/^error: .*data_batch_1\.bin.*SHA-256.*--trust/m);
    expect(existsSync(home.cached)).toBe(false);

    const archive = path.join(home.folder, 'my.tar.gz');
    const entries = PYTHON_NAMES.map((name, n) => tarEntry(`cifar-10-batches-py/${name}`, pythonFile(batchFile(n))));
    writeFileSync(archive, Buffer.concat([...entries, TAR_END]));
    expect((await home.data(['info', archive])).stdout).toContain('format   the Python archive\n');
    const trusted = await home.data(['import', 'my.tar.gz', '--trust']);
    expect([trusted.code, trusted.stdout]).toEqual([0, `${home.cached}\n`]);
    expect(trusted.stderr).toContain('not the official images');
    expect(batchFile(3).equals(readFileSync(path.join(home.cached, 'data_batch_4.bin')))).toBe(true);

    const verified = await home.data(['verify']);
    expect(verified.code).toBe(0);
    expect(verified.stdout).toContain('they are not the official ones');

    // A download does not replace images that the user imported.
    const other = await home.data(['download']);
    expect([other.code, other.stdout]).toEqual([3, '']);
    expect(other.stderr).toContain(`remove that folder first`);
    const replaced = await home.data(['import', images, '--trust']);
    expect([replaced.code, replaced.stdout]).toEqual([0, `${home.cached}\n`]);
    expect(replaced.stderr).toContain(`replacing those from ${archive}`);
  });

  it('names the folder that it cannot write', async () => {
    symlinkSync(path.join(home.folder, 'nowhere'), path.join(home.folder, 'nn-train'));
    const { code, stdout, stderr } = await home.data(['import', images, '--trust']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^error: cannot store the images in .*cifar-10-batches-bin: .*\n$/);
    expect(stderr).toContain(home.cached);
  });

  it('rejects paths without images', async () => {
    writeFileSync(path.join(home.folder, 'notes.txt'), 'no images');
    for (const place of ['notes.txt', 'nowhere', '.']) {
      const { code, stdout, stderr } = await home.data(['import', place]);
      expect([place, code, stdout]).toEqual([place, 3, '']);
      expect(stderr).toMatch(/^error: .*\n$/);
      expect(stderr).toContain(place);
    }
  });
});

describe('data verify', () => {
  it('finds the one file that changed since it was trusted, and exits with 3', async () => {
    await home.data(['import', images, '--trust']);
    const file = path.join(home.cached, 'data_batch_2.bin');
    const bytes = readFileSync(file);
    bytes[1234] ^= 1;
    writeFileSync(file, bytes);
    const { code, stdout } = await home.data(['verify']);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^data_batch_1\.bin .*✓ same$/m);
    expect(stdout).toMatch(/^data_batch_2\.bin .*✗ differs$/m);
    expect(stdout).toContain('1 of the 6 files differs: damaged or changed');

    const json = await home.data(['verify', '--json']);
    expect(json.code).toBe(3);
    const { ok, official, files } = JSON.parse(json.stdout);
    expect([ok, official]).toEqual([false, false]);
    expect(files.map((one: { ok: boolean }) => one.ok)).toEqual([true, false, true, true, true, true]);
  });

  it('compares untrusted images of any format with the published hashes', async () => {
    writeFileSync(path.join(home.folder, 'my.tar.gz'), ARCHIVE);
    for (const place of [images, 'my.tar.gz']) {
      const { code, stdout } = await home.data(['verify', place]);
      expect(code).toBe(3);
      // The first digits of two published hashes.
      expect(stdout).toMatch(/^data_batch_1\.bin +[0-9a-f]{16} +cee916563c9f80d8 +✗ differs$/m);
      expect(stdout).toMatch(/^test_batch\.bin +[0-9a-f]{16} +8e2eb146ae340b09 +✗ differs$/m);
      expect(stdout).toContain('6 of the 6 files differ: ');
    }
  });
});

describe('data info', () => {
  it('prints counts and statistics, and writes a sample', async () => {
    const args = ['info', images, '--sample', 'sheet.png'];
    const { code, stdout, stderr } = await home.data(args);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`images   ${images}\n`);
    expect(stdout).toContain('0 of 6 have the published SHA-256');
    expect(stdout).toMatch(/^automobile +5,000 +1,000$/m);
    expect(stdout).toMatch(/^all +50,000 +10,000$/m);
    const sheet = decodePicture(readFileSync(path.join(home.folder, 'sheet.png')), 'sheet.png');
    // Ten tiles of 64 pixels and eleven gaps of 6, with the names beside them.
    expect(sheet.height).toBe(10 * 64 + 11 * 6);
    const at = (x: number, y: number) => sheet.rgb[3 * (y * sheet.width + x)];
    // The first ten images of class c in the first file have the pixels 20·0 + c.
    for (const c of [0, 3, 9]) expect(at(sheet.width - 30, 6 + 70 * c + 32)).toBe(c);

    const info = JSON.parse((await home.data([...args, '--json'])).stdout);
    expect(info).toMatchObject({ path: images, kind: 'folder', source: null, official: false });
    expect(info.files.map(({ name }: { name: string }) => name)).toEqual(NAMES);
    // A pixel is 20·n + label with n = 0 … 4 and 0 … 9 equally often: variances 400 · 2 and 8.25.
    const [{ bytes, scaled }] = info.train.channels;
    expect(bytes.mean).toBeCloseTo(44.5, 10);
    expect(bytes.deviation).toBeCloseTo(Math.sqrt(808.25), 10);
    expect(scaled.mean).toBeCloseTo((44.5 - 128) / 64, 10);
    expect(info.test.channels[2].bytes.mean).toBeCloseTo(104.5, 10);
  });

  it('shows the origin of images in the cache', async () => {
    await home.data(['import', images, '--trust']);
    expect((await home.data(['info'])).stdout).toContain(`source   ${images}\n`);
  });
});

describe('data path', () => {
  it('prints the path that training would use, or exits with 3, without downloading', async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests++;
      response.end();
    });
    const env = { NN_TRAIN_CIFAR10_URL: url };
    const none = await home.data(['path'], { env });
    expect([none.code, none.stdout, requests]).toEqual([3, '', 0]);
    expect(none.stderr).toMatch(/^error: no CIFAR-10 found in .*\n$/);
    expect(none.stderr).toContain(`; download it with ${OWN_NAME} data download\n`);

    const named = await home.data(['path'], { env: { NN_TRAIN_DATA_DIR: images } });
    expect([named.code, named.stdout]).toEqual([0, `${images}\n`]);
    mkdirSync(path.join(home.folder, 'data'));
    writeBatchFiles(path.join(home.folder, 'data'));
    expect((await home.data(['path'])).stdout).toBe(`${path.join(home.folder, 'data')}\n`);
  });
});

it('lists its commands, and rejects others', async () => {
  const help = await home.data(['--help']);
  expect(help.code).toBe(0);
  for (const word of [
    'download',
    'verify',
    'info',
    'import',
    'path',
    'NN_TRAIN_DATA_DIR',
    'NN_TRAIN_CIFAR10_URL',
    'XDG_CACHE_HOME',
  ]) {
    expect(help.stdout).toContain(word);
  }
  const unknown = await home.data(['fetch']);
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain("unknown command 'fetch'");
});
