import { createHash } from 'node:crypto';
import { encode } from 'fast-png';
import { expect, test } from 'vitest';
import {
  batchPictures,
  type LabelledPicture,
  UnreadablePictures,
} from '../../../src/dataset/formats/picture-batches.ts';
import { DataError } from '../../../src/errors.ts';
import { drain, rejection } from '../../support/cifar10.ts';
import { compareBatches, patternFile, pngRecords } from '../../support/cifar10-versions.ts';

const names = ['data_batch_1.bin', 'data_batch_2.bin', 'data_batch_3.bin'];

async function* pictures(...files: number[]): AsyncGenerator<LabelledPicture> {
  for (const n of files) {
    for (const { label, png } of pngRecords(n)) yield { name: 'the picture', label, picture: png };
  }
}

/** Reads one picture that is refused, between two others. */
async function refusal(picture: Partial<LabelledPicture>): Promise<string> {
  const unreadable = new UnreadablePictures(3);
  async function* three() {
    const [{ label, png }] = pngRecords(0);
    const good = { name: 'another', label, picture: png };
    yield* [good, { ...good, name: 'the picture', ...picture }, good];
  }
  await drain(batchPictures(three(), { names, count: 3, unreadable, origin: 'the folder' }));
  const error = await rejection((async () => unreadable.check())());
  expect(error).toBeInstanceOf(DataError);
  return error.message;
}

/** Options for the pictures of some files. */
function options(files: number, origin = 'the folder') {
  return { names, count: files * 10_000, unreadable: new UnreadablePictures(files * 10_000), origin };
}

test('pictures fill the batches in order', async () => {
  const got = await compareBatches(batchPictures(pictures(0, 1, 2), options(3)));
  expect(got).toEqual(Object.fromEntries(names.map((name) => [name, true])));
});

test('published batches get their own names, and others the remaining names', async () => {
  const hash = (n: number) => createHash('sha256').update(patternFile(n)).digest('hex');
  const published = { 'data_batch_1.bin': hash(0), 'data_batch_2.bin': hash(1), 'data_batch_3.bin': hash(2) };
  const order: string[] = [];
  for await (const { name } of batchPictures(pictures(2, 0, 1), { ...options(3), published })) order.push(name);
  expect(order).toEqual(['data_batch_3.bin', 'data_batch_1.bin', 'data_batch_2.bin']);
  order.length = 0;
  for await (const { name } of batchPictures(pictures(1, 5, 1), { ...options(3), published })) order.push(name);
  expect(order).toEqual(['data_batch_2.bin', 'data_batch_1.bin', 'data_batch_3.bin']);
});

test('more or fewer pictures than counted are refused', async () => {
  const refused = async (...files: number[]) =>
    (await rejection(drain(batchPictures(pictures(...files), options(2))))).message;
  expect(await refused(0)).toBe('the folder has only 10,000 of 20,000 images.');
  expect(await refused(0, 1, 2)).toContain('the folder has more than 20,000 images.');
});

test('any number of pictures is divided into all batches, the last of them short or empty', async () => {
  const sizes = async (count: number, files: number) => {
    const got: [string, number, boolean | undefined][] = [];
    async function* some() {
      for (let n = 0, left = count; left > 0; n++, left -= 10_000) {
        for (const { label, png } of pngRecords(n).slice(0, left)) yield { name: 'a picture', label, picture: png };
      }
    }
    const first = names.slice(0, files);
    for await (const batch of batchPictures(some(), { ...options(0), names: first, count })) {
      got.push([batch.name, batch.bytes.length / 3073, batch.isTrusted]);
    }
    return got;
  };
  expect(await sizes(10_002, 3)).toEqual([
    ['data_batch_1.bin', 10_000, true],
    ['data_batch_2.bin', 2, true],
    ['data_batch_3.bin', 0, true],
  ]);
  expect(await sizes(20_001, 2)).toEqual([
    ['data_batch_1.bin', 10_001, true],
    ['data_batch_2.bin', 10_000, true],
  ]);
});

test('an interrupt is handled while pictures are decoded', async () => {
  const [controller, reason] = [new AbortController(), new Error('Ctrl-C')];
  setTimeout(() => controller.abort(reason), 1);
  const batches = batchPictures(pictures(0, 1, 2), { ...options(3), signal: controller.signal });
  expect(await rejection(batches.next())).toBe(reason);
});

test('a picture that is not one, or of another size or class, is named in the error', async () => {
  const large = encode({ width: 33, height: 32, channels: 3, depth: 8, data: new Uint8Array(33 * 32 * 3) });
  expect(await refusal({ picture: large })).toContain('the picture has 33×32 pixels, wanted 32×32');
  expect(await refusal({ picture: Buffer.from('GIF89a') })).toContain('the picture is a GIF; wanted a PNG or a JPEG');
  expect(await refusal({ picture: pngRecords(0)[0].png.subarray(0, 60) })).toContain('the picture is damaged');
  for (const label of [10, -1, 1.5, Number.NaN]) {
    expect(await refusal({ label })).toBe(
      `1 of 3 pictures cannot be used: the picture has label ${label}, wanted 0 to 9`,
    );
  }
  expect(await refusal({ picture: new DataError('the picture is gone') })).toContain(': the picture is gone');
});
