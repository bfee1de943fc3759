import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { encode as encodeJpeg } from 'jpeg-js';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type Batch, decodeBatches } from '../../../src/dataset/cifar10.ts';
import { readSource } from '../../../src/dataset/read.ts';
import { DataError } from '../../../src/errors.ts';
import { drain, rejection, scratchFolder } from '../../support/cifar10.ts';
import {
  ALL_EQUAL,
  compareBatches,
  patternFile,
  pngRecords,
  writeClassFolders,
} from '../../support/cifar10-versions.ts';

const CLASSES = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ');
const scratch = scratchFolder();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(scratch, 'pictures-'));
});

const writePictures = (perFile: number) => writeClassFolders(folder, perFile);

const read = (trust = true, notes: string[] = []): AsyncIterable<Batch> =>
  readSource({ kind: 'class-folders', path: folder }, { trust, onNote: (note) => notes.push(String(note)) });

async function refusal(trust = true): Promise<string> {
  const error = await rejection(drain(read(trust)));
  expect(error).toBeInstanceOf(DataError);
  return error.message.replaceAll(folder, 'DIR');
}

test('pictures in class folders give the bytes of the binary version', async () => {
  writePictures(10_000);
  expect(await compareBatches(read(false))).toEqual(ALL_EQUAL);
});

describe('fewer pictures', () => {
  test('are refused before any is read, with what would accept them', async () => {
    writePictures(20);
    const advice = 'To accept another number of images, add trust: true.';
    expect(await refusal(false)).toBe(`DIR/train has 100 images, wanted 50,000. ${advice}`);
    for (const name of ['bird', 'ship']) rmSync(join(folder, 'train', name), { recursive: true });
    expect(await refusal(false)).toBe(
      `DIR/train has only some of the ten class folders; missing: bird, ship. ${advice}`,
    );
    for (const name of CLASSES) rmSync(join(folder, 'test', name), { recursive: true });
    mkdirSync(join(folder, 'test', 'cat'));
    expect(await refusal()).toBe('DIR/test has 0 images, wanted 1 to 100,000.');
  });

  test('are read in the order of their names if trusted', async () => {
    writePictures(20);
    const { train, test } = await decodeBatches(read());
    const wanted = [0, 1, 2, 3, 4].map((n) => patternFile(n).subarray(0, 20 * 3073));
    const records = (set: typeof train) =>
      Buffer.concat(
        [...set.labels].map((label, i) => Buffer.of(label, ...set.images.subarray(3072 * i, 3072 * (i + 1)))),
      );
    expect(records(train).equals(Buffer.concat(wanted))).toBe(true);
    expect(records(test).equals(patternFile(5).subarray(0, 20 * 3073))).toBe(true);
  });

  test('may lack whole classes if trusted, which is noted', async () => {
    writePictures(20);
    rmSync(join(folder, 'train', 'bird'), { recursive: true });
    const notes: string[] = [];
    const { train } = await decodeBatches(read(true, notes));
    expect([train.labels.length, train.labels.includes(2)]).toEqual([90, false]);
    expect(notes).toEqual([`${join(folder, 'train')} has only some of the ten class folders; missing: bird`]);
  });
});

test('hidden files are left out, and other files with a note', async () => {
  writePictures(10);
  for (const name of ['._image0.png', '.DS_Store', 'Thumbs.db', 'desktop.ini']) {
    writeFileSync(join(folder, 'train', 'cat', name), 'no picture');
  }
  const notes: string[] = [];
  await drain(read(true, notes));
  expect(notes).toEqual([]);
  writeFileSync(join(folder, 'train', 'cat', 'a.bmp'), '');
  mkdirSync(join(folder, 'train', 'cat', 'more'));
  expect((await decodeBatches(read(true, notes))).train.labels.length).toBe(50);
  expect(notes).toEqual([
    `${join(folder, 'train')} has files other than .png and .jpg, which are left out: ${join('cat', 'a.bmp')}, ${join('cat', 'more')}`,
  ]);
});

test('a JPEG is read too', async () => {
  writePictures(10);
  rmSync(join(folder, 'train', 'airplane', 'image0.png'));
  const jpeg = encodeJpeg({ width: 32, height: 32, data: Buffer.alloc(32 * 32 * 4, 200) }, 100).data;
  writeFileSync(join(folder, 'train', 'airplane', 'image0.JPEG'), jpeg);
  const { train } = await decodeBatches(read());
  expect([train.labels[0], ...train.images.subarray(0, 3072)]).toEqual([0, ...Array(3072).fill(200)]);
});

describe('pictures that cannot be used', () => {
  test('are counted, and the first is named', async () => {
    writePictures(10);
    const path = (name: string) => join(folder, 'test', 'dog', name);
    const [{ png }] = pngRecords(0);
    writeFileSync(path('image7.png'), png.subarray(0, 100));
    const wide = encodeJpeg({ width: 40, height: 32, data: Buffer.alloc(40 * 32 * 4) }, 100).data;
    writeFileSync(path('image1.jpg'), wide);
    writeFileSync(path('image9.png'), 'GIF89a');
    expect(await refusal()).toBe(
      '3 of 63 pictures cannot be used; the first: DIR/test/dog/image1.jpg has 40×32 pixels, wanted 32×32, the size of CIFAR-10 images',
    );
    rmSync(path('image1.jpg'));
    rmSync(path('image9.png'));
    expect(await refusal()).toContain('1 of 61 pictures cannot be used: DIR/test/dog/image7.png is damaged');
  });

  const inCat = (name: string) => join(folder, 'train', 'cat', name);

  test('folders, dangling links and circular links are among them', async () => {
    writePictures(10);
    mkdirSync(inCat('1.png'));
    expect(await refusal()).toBe(
      '1 of 61 pictures cannot be used: cannot read DIR/train/cat/1.png: it is a folder, wanted a regular file',
    );
    symlinkSync('nowhere', inCat('0.png'));
    expect(await refusal()).toBe(
      '2 of 62 pictures cannot be used; the first: cannot read DIR/train/cat/0.png: no such file or folder',
    );
    symlinkSync('00.png', inCat('00.png'));
    expect(await refusal()).toMatch(/^3 of 63 .* cannot read DIR\/train\/cat\/00?\.png: /);
  });

  // These would never return from opening, or are not there to be created.
  test.skipIf(process.platform === 'win32')('named pipes, sockets and links to them are never opened', async () => {
    writePictures(10);
    expect(spawnSync('mkfifo', [inCat('0.png')]).status).toBe(0);
    symlinkSync('0.png', inCat('1.png'));
    symlinkSync('/dev/zero', inCat('2.png'));
    const server = createServer().listen(inCat('3.png'));
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    expect(await refusal()).toBe(
      '4 of 64 pictures cannot be used; the first: cannot read DIR/train/cat/0.png: it is a named pipe, wanted a regular file',
    );
  });

  test('links to pictures are read', async () => {
    writePictures(10);
    writeFileSync(join(folder, 'a picture'), pngRecords(0)[3].png);
    symlinkSync(join(folder, 'a picture'), inCat('image3000.png'));
    expect((await decodeBatches(read())).train.labels.length).toBe(51);
  });
});

test('an aborted read rejects with the reason of the signal', async () => {
  const reason = new Error('Ctrl-C');
  const source = { kind: 'class-folders', path: folder } as const;
  expect(await rejection(drain(readSource(source, { signal: AbortSignal.abort(reason) })))).toBe(reason);
});
