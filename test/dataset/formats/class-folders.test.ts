import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode as encodeJpeg } from 'jpeg-js';
import { beforeAll, expect, test } from 'vitest';
import { readSource } from '../../../src/dataset/read.ts';
import { DataError } from '../../../src/errors.ts';
import { drain, rejection, scratchFolder } from '../../support/cifar10.ts';
import { ALL_EQUAL, compareBatches, patternFile, pngRecords } from '../../support/cifar10-versions.ts';

const CLASSES = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ');
const folder = join(scratchFolder(), 'pictures');
const source = { kind: 'class-folders', path: folder } as const;

/** Pictures numbered across classes, without leading zeros, so that their names restore their order. Links save space. */
beforeAll(() => {
  for (const split of ['train', 'test']) {
    for (const name of CLASSES) mkdirSync(join(folder, split, name), { recursive: true });
    writeFileSync(join(folder, split, 'cat', 'Thumbs.db'), '');
  }
  const written = new Map<Uint8Array, string>();
  for (let n = 0, number = 0; n < 6; n++) {
    for (const { label, png } of pngRecords(n)) {
      const path = join(folder, n < 5 ? 'train' : 'test', CLASSES[label], `image${number++}.png`);
      const first = written.get(png);
      if (first) linkSync(first, path);
      else writeFileSync(path, png);
      if (!first) written.set(png, path);
    }
  }
});

async function refusal(): Promise<string> {
  const error = await rejection(drain(readSource(source)));
  expect(error).toBeInstanceOf(DataError);
  return error.message;
}

test('pictures in class folders give the bytes of the binary version', async () => {
  expect(await compareBatches(readSource(source))).toEqual(ALL_EQUAL);
});

test('the folders may be numbered', async () => {
  const rename = (from: readonly string[], to: readonly string[]) => {
    for (const split of ['train', 'test']) {
      for (const [label, name] of from.entries()) renameSync(join(folder, split, name), join(folder, split, to[label]));
    }
  };
  const numbers = CLASSES.map((_, label) => `${label}`);
  rename(CLASSES, numbers);
  const batches = readSource(source)[Symbol.asyncIterator]();
  expect(patternFile(0).equals((await batches.next()).value.bytes)).toBe(true);
  await batches.return?.();
  rename(numbers, CLASSES);
});

test('a JPEG is read too, and a picture of another size is named in the error', async () => {
  const path = join(folder, 'train', 'airplane', 'image0.png');
  const jpeg = (width: number) => encodeJpeg({ width, height: 32, data: Buffer.alloc(width * 32 * 4, 200) }, 100).data;
  rmSync(path);
  writeFileSync(path.replace('.png', '.JPEG'), jpeg(32));
  const batches = readSource(source)[Symbol.asyncIterator]();
  const { bytes } = (await batches.next()).value;
  await batches.return?.();
  expect([bytes[0], ...bytes.subarray(1, 3_073)]).toEqual([0, ...Array(3_072).fill(200)]);
  rmSync(path.replace('.png', '.JPEG'));
  writeFileSync(path, jpeg(40));
  expect(await refusal()).toContain(`${path} has 40×32 pixels, wanted 32×32`);
});

test('missing pictures, classes and splits are reported before any picture is read', async () => {
  rmSync(join(folder, 'test', 'truck', 'image50004.png'), { force: true });
  rmSync(join(folder, 'test', 'ship'), { recursive: true });
  mkdirSync(join(folder, 'test', 'ship'));
  expect(await refusal()).toBe(`${join(folder, 'test')} has 8,999 images, wanted 10,000.`);
  rmSync(join(folder, 'test', 'ship'), { recursive: true });
  rmSync(join(folder, 'test', 'bird'), { recursive: true });
  expect(await refusal()).toBe(`${join(folder, 'test')} has only some of the ten class folders; missing: bird, ship.`);
  rmSync(join(folder, 'test'), { recursive: true });
  expect(await refusal()).toBe(`cannot read ${join(folder, 'test')}: no such file or folder`);
});

test('an aborted read rejects with the reason of the signal', async () => {
  const reason = new Error('Ctrl-C');
  expect(await rejection(drain(readSource(source, AbortSignal.abort(reason))))).toBe(reason);
});
