import { createHash } from 'node:crypto';
import { encode } from 'fast-png';
import { expect, test } from 'vitest';
import { batchPictures, type LabelledPicture } from '../../../src/dataset/formats/picture-batches.ts';
import { DataError } from '../../../src/errors.ts';
import { drain, rejection } from '../../support/cifar10.ts';
import { compareBatches, patternFile, pngRecords } from '../../support/cifar10-versions.ts';

const names = ['data_batch_1.bin', 'data_batch_2.bin', 'data_batch_3.bin'];

async function* pictures(...files: number[]): AsyncGenerator<LabelledPicture> {
  for (const n of files) {
    for (const { label, png } of pngRecords(n)) yield { name: 'the picture', label, picture: png };
  }
}

async function refusal(picture: Partial<LabelledPicture>): Promise<string> {
  async function* one() {
    const [{ label, png }] = pngRecords(0);
    yield { name: 'the picture', label, picture: png, ...picture };
  }
  const error = await rejection(drain(batchPictures(one(), { names, origin: 'the folder' })));
  expect(error).toBeInstanceOf(DataError);
  return error.message;
}

test('pictures fill the batches in order', async () => {
  const got = await compareBatches(batchPictures(pictures(0, 1, 2), { names, origin: 'x' }));
  expect(got).toEqual(Object.fromEntries(names.map((name) => [name, true])));
});

test('published batches get their own names, and others the remaining names', async () => {
  const hash = (n: number) => createHash('sha256').update(patternFile(n)).digest('hex');
  const published = { 'data_batch_1.bin': hash(0), 'data_batch_2.bin': hash(1), 'data_batch_3.bin': hash(2) };
  const order: string[] = [];
  const options = { names, origin: 'x', published };
  for await (const { name } of batchPictures(pictures(2, 0, 1), options)) order.push(name);
  expect(order).toEqual(['data_batch_3.bin', 'data_batch_1.bin', 'data_batch_2.bin']);
  order.length = 0;
  for await (const { name } of batchPictures(pictures(1, 5, 1), options)) order.push(name);
  expect(order).toEqual(['data_batch_2.bin', 'data_batch_1.bin', 'data_batch_3.bin']);
});

test('more or fewer pictures are refused', async () => {
  const refused = async (...files: number[]) =>
    (await rejection(drain(batchPictures(pictures(...files), { names: names.slice(1), origin: 'the folder' }))))
      .message;
  expect(await refused(0)).toBe('the folder has 10,000 images, wanted 20,000.');
  expect(await refused(0, 1, 2)).toBe('the folder has at least 20,001 images, wanted 20,000.');
});

test('an interrupt is handled while pictures are decoded', async () => {
  const [controller, reason] = [new AbortController(), new Error('Ctrl-C')];
  setTimeout(() => controller.abort(reason), 1);
  const batches = batchPictures(pictures(0, 1, 2), { names, origin: 'x', signal: controller.signal });
  expect(await rejection(batches.next())).toBe(reason);
});

test('a picture that is not one, or of another size or class, is named in the error', async () => {
  const large = encode({ width: 33, height: 32, channels: 3, depth: 8, data: new Uint8Array(33 * 32 * 3) });
  expect(await refusal({ picture: large })).toContain('the picture has 33×32 pixels, wanted 32×32');
  expect(await refusal({ picture: Buffer.from('GIF89a') })).toContain('the picture is a GIF; wanted a PNG or a JPEG');
  expect(await refusal({ picture: pngRecords(0)[0].png.subarray(0, 60) })).toContain('the picture is damaged');
  for (const label of [10, -1, 1.5, Number.NaN]) {
    expect(await refusal({ label })).toContain(`the picture has label ${label}, wanted 0 to 9`);
  }
});
