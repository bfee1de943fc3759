import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Binary, Field, Int64, Struct, vectorFromArray } from 'apache-arrow';
import { beforeEach, describe, expect, test } from 'vitest';
import { decodeBatches } from '../../../src/dataset/cifar10.ts';
import { readSource } from '../../../src/dataset/read.ts';
import { DataError } from '../../../src/errors.ts';
import { drain, rejection, scratchFolder } from '../../support/cifar10.ts';
import { ALL_EQUAL, compareBatches, patternFile, pngRecords } from '../../support/cifar10-versions.ts';
import { parquetFile as parquet, writeParquet as write } from '../../support/parquet.ts';

const scratch = scratchFolder();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(scratch, 'parquet-'));
});

const few = parquet(pngRecords(0).slice(0, 300));

async function refusal(train: Uint8Array, test = few, trust = false): Promise<string> {
  writeFileSync(join(folder, 'train-00000-of-00001.parquet'), train);
  writeFileSync(join(folder, 'test-00000-of-00001.parquet'), test);
  const error = await rejection(drain(readSource({ kind: 'parquet', path: folder }, { trust })));
  expect(error).toBeInstanceOf(DataError);
  return error.message.replace(join(folder, 'train-00000-of-00001.parquet'), 'FILE');
}

describe('Parquet files', () => {
  test.each([
    ['SNAPPY', 1_000],
    ['UNCOMPRESSED', 10_000],
  ] as const)('give the bytes of the binary version: %s', async (codec, rowGroup) => {
    const train = [0, 1, 2, 3, 4].flatMap(pngRecords);
    // In two files, like larger datasets.
    for (const part of [0, 1]) {
      const half = train.slice(part * 24_000, part ? undefined : 24_000);
      writeFileSync(join(folder, `train-0000${part}-of-00002.parquet`), parquet(half, codec, rowGroup));
    }
    writeFileSync(join(folder, 'test-00000-of-00001.parquet'), parquet(pngRecords(5), codec, rowGroup));
    writeFileSync(join(folder, 'training.parquet'), 'of something else');
    expect(await compareBatches(readSource({ kind: 'parquet', path: folder }))).toEqual(ALL_EQUAL);
  });

  test('are refused with too few images, unless trusted', async () => {
    expect(await refusal(few)).toBe(
      'FILE has 300 images, wanted 50,000. To accept another number of images, add trust: true.',
    );
    const { train, test } = await decodeBatches(readSource({ kind: 'parquet', path: folder }, { trust: true }));
    expect([train.labels.length, test.labels.length]).toEqual([300, 300]);
    expect(train.images).toEqual(test.images);
    const first = patternFile(0).subarray(0, 300 * 3073);
    expect([...train.labels]).toEqual([...first].filter((_, i) => i % 3073 === 0));
    expect(Buffer.from(train.images.subarray(-3072)).equals(first.subarray(-3072))).toBe(true);
  });

  test('are refused with other columns', async () => {
    const other = write({ text: vectorFromArray(['a', 'b']), label: vectorFromArray([0n, 1n], new Int64()) });
    expect(await refusal(other)).toBe(
      'FILE has the columns text, label; wanted img and label, as in CIFAR-10 on Hugging Face',
    );
  });

  test('are refused with a missing label or a missing or damaged image', async () => {
    const label = vectorFromArray([0n, 1n], new Int64());
    const type = new Struct([new Field('bytes', new Binary(), true)]);
    const [{ png }] = pngRecords(0);
    const missing = write({ img: vectorFromArray([{ bytes: png }, null], type), label });
    expect(await refusal(missing, few, true)).toContain('image 1 of FILE (counting from 0) has no bytes');
    const unlabelled = vectorFromArray([null, 1n], new Int64());
    const img = vectorFromArray([{ bytes: png }, { bytes: png }], type);
    expect(await refusal(write({ img, label: unlabelled }), few, true)).toContain(
      'image 0 of FILE (counting from 0) has label NaN',
    );
    const wrong = write({ img: vectorFromArray([{ bytes: png }, { bytes: png.subarray(0, 50) }], type), label });
    expect(await refusal(wrong, few, true)).toContain('image 1 of FILE (counting from 0) is damaged');
    expect(await refusal(write({ img: vectorFromArray(['a', 'b']), label }), few, true)).toContain(
      'image 0 of FILE (counting from 0) has no',
    );
  });

  test('are refused if a split is missing', async () => {
    const source = { kind: 'parquet', path: folder } as const;
    expect((await rejection(drain(readSource(source)))).message).toContain(
      `${folder} has no Parquet file of train images`,
    );
    writeFileSync(join(folder, 'train.parquet'), few);
    expect((await rejection(drain(readSource(source)))).message).toContain(
      `${folder} has no Parquet file of test images`,
    );
  });

  test('are refused if truncated at any byte, and fail with a DataError if changed at any byte', async () => {
    for (let at = 1; at < few.length; at += Math.ceil(few.length / 30)) {
      expect(await refusal(few.subarray(0, at))).toMatch(/^FILE (is cut off|looks|has an unknown)/);
      const changed = Uint8Array.from(few);
      changed[at] ^= 255;
      await refusal(changed);
    }
  });
});

test('an aborted read rejects with the reason of the signal', async () => {
  const reason = new Error('Ctrl-C');
  writeFileSync(join(folder, 'train.parquet'), few);
  writeFileSync(join(folder, 'test.parquet'), few);
  const source = { kind: 'parquet', path: folder } as const;
  expect(await rejection(drain(readSource(source, { signal: AbortSignal.abort(reason) })))).toBe(reason);
});
