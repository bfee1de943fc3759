import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Binary, Field, Int64, Struct, vectorFromArray } from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { openParquet, readRowGroups } from '../../../src/dataset/formats/parquet-file.ts';
import { rejection, scratchFolder } from '../../support/cifar10.ts';
import { CODECS, parquetFile, writeParquet } from '../../support/parquet.ts';

const path = join(scratchFolder(), 'train.parquet');
const records = Array.from({ length: 12 }, (_, i) => ({ label: i % 10, png: Buffer.alloc(40 + i, `${i}`) }));

async function read(file: Uint8Array): Promise<unknown[]> {
  writeFileSync(path, file);
  const parquet = await openParquet(path);
  const rows: unknown[] = [];
  try {
    for await (const group of readRowGroups(parquet)) rows.push(...group);
    return rows;
  } finally {
    await parquet.handle.close();
  }
}

const refusal = async (file: Uint8Array) => (await rejection(read(file))).message.replace(path, 'FILE');

describe('a Parquet file', () => {
  test.each(CODECS)('is read with the codec %s', async (codec) => {
    const rows = (await read(parquetFile(records, codec, 5))) as { image: { bytes: Uint8Array }; label: bigint }[];
    expect(rows.map(({ label }) => Number(label))).toEqual(records.map(({ label }) => label));
    expect(rows.map(({ image }) => Buffer.from(image.bytes))).toEqual(records.map(({ png }) => png));
  });

  test('may call its columns image and labels', async () => {
    const type = new Struct([new Field('bytes', new Binary(), true)]);
    const image = vectorFromArray([{ bytes: Buffer.from('a') }], type);
    const [row] = await read(writeParquet({ labels: vectorFromArray([3n], new Int64()), image }));
    expect(row).toEqual({ image: { bytes: new Uint8Array([97]) }, label: 3n });
  });
});

describe('is refused', () => {
  const whole = Buffer.from(parquetFile(records, 'SNAPPY', 5));
  /** A copy with bytes replaced wherever they occur, by as many others. */
  const replaced = (from: string, to: string) => Buffer.from(whole.toString('latin1').replaceAll(from, to), 'latin1');

  test('with a codec that nobody reads, by its name', async () => {
    // The metadata of a column: its name in a list of one, then its codec: SNAPPY, 1, and LZO, 3, in zigzag.
    expect(await refusal(replaced('\x18\x05label\x15\x02', '\x18\x05label\x15\x06'))).toBe(
      'FILE is compressed with LZO; wanted SNAPPY, GZIP, BROTLI, ZSTD, LZ4, LZ4_RAW or nothing. Write it with one of these.',
    );
  });

  test('for what it is instead', async () => {
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 119705255\n';
    expect(await refusal(Buffer.from(pointer))).toBe(
      'FILE is only a pointer of Git LFS to the file; wanted a Parquet file of CIFAR-10. ' +
        'Fetch the file itself with `git lfs pull`, or download it.',
    );
    expect(await refusal(Buffer.from('<!doctype html>'))).toContain('FILE is an HTML page; wanted a Parquet file');
    const coarse = vectorFromArray([1n], new Int64());
    expect(await refusal(writeParquet({ img: coarse, fine_label: coarse }))).toContain(
      'FILE has the columns those of CIFAR-100; wanted img and label',
    );
  });

  test('cut off, or with parts that do not fit, in our words', async () => {
    expect(await refusal(whole.subarray(0, -100))).toContain(
      'FILE is cut off: it does not end as a Parquet file does.',
    );
    expect(await refusal(replaced('\x19\x18\x05label', '\x19\x18\x05lobel'))).toContain(
      'FILE is damaged: its columns are not those of its schema. Replace it',
    );
    const footer = Buffer.from(whole);
    const metadata = whole.length - 8 - whole.readUInt32LE(whole.length - 8);
    footer.fill(0xff, metadata, metadata + 40);
    expect(await refusal(footer)).toContain('FILE is damaged: its metadata or pages cannot be decoded. Replace it');
  });
});
