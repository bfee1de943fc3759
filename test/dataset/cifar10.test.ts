import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CLASSES, checkBatch, checkSize, decodeBatches, decodeRecords } from '../../src/dataset/cifar10.ts';
import { DataError } from '../../src/errors.ts';
import { batchFile, FILE_BYTES, NAMES, rejection } from '../support/cifar10.ts';

const record = fc.record({
  label: fc.integer({ min: 0, max: 9 }),
  red: fc.uint8Array({ minLength: 1024, maxLength: 1024 }),
  green: fc.uint8Array({ minLength: 1024, maxLength: 1024 }),
  blue: fc.uint8Array({ minLength: 1024, maxLength: 1024 }),
});

describe('the records', () => {
  test('are decoded to labels and planes, and the rows around them stay unchanged', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 4 }), fc.nat(3), (records, first) => {
        const encoded = Uint8Array.from(records.flatMap((r) => [r.label, ...r.red, ...r.green, ...r.blue]));
        const images = new Uint8Array(new SharedArrayBuffer(8 * 3072)).fill(77);
        const labels = new Uint8Array(new SharedArrayBuffer(8)).fill(77);

        decodeRecords(encoded, { images, labels }, first);

        const untouched = { label: 77, red: 77, green: 77, blue: 77 };
        for (let row = 0; row < 8; row++) {
          const wanted = records[row - first] ?? untouched;
          const plane = (p: number) => images.subarray(row * 3072 + p * 1024, row * 3072 + (p + 1) * 1024);
          const same = (got: Uint8Array, want: Uint8Array | number) =>
            got.every((value, i) => value === (typeof want === 'number' ? want : want[i]));
          expect(labels[row]).toBe(wanted.label);
          expect(same(plane(0), wanted.red)).toBe(true);
          expect(same(plane(1), wanted.green)).toBe(true);
          expect(same(plane(2), wanted.blue)).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('have ten classes, in the order of the labels', () => {
    expect([CLASSES.length, CLASSES[0], CLASSES[3], CLASSES[9]]).toEqual([10, 'airplane', 'cat', 'truck']);
  });
});

describe('a file', () => {
  test('of any other size is refused, with its size and the wanted size', () => {
    const size = fc.oneof(
      fc.nat(2 * FILE_BYTES),
      fc.nat(20_000).map((n) => n * 3_073),
    );
    fc.assert(
      fc.property(
        size.filter((bytes) => bytes !== FILE_BYTES),
        (bytes) => {
          expect(() => checkSize(bytes, '/d/test_batch.bin')).toThrow(
            `/d/test_batch.bin has ${bytes.toLocaleString('en-US')} bytes`,
          );
        },
      ),
    );
    expect(() => checkSize(9_999 * 3_073, 'f')).toThrow('f has 30,726,927 bytes (9,999 records), wanted 30,730,000');
    expect(() => checkSize(FILE_BYTES - 1, 'f')).toThrow('f has 30,729,999 bytes, wanted 30,730,000');
    expect(() => checkSize(FILE_BYTES, 'f')).not.toThrow();
  });

  test('with a label above 9 is refused, with the index of the record', () => {
    const bytes = batchFile(0);
    expect(() => checkBatch({ name: NAMES[0], origin: 'f', bytes })).not.toThrow();
    fc.assert(
      fc.property(fc.nat(9_999), fc.integer({ min: 10, max: 255 }), (index, label) => {
        const before = bytes[index * 3_073];
        bytes[index * 3_073] = label;
        expect(() => checkBatch({ name: NAMES[0], origin: '/d/f.bin', bytes })).toThrow(
          new RegExp(`^/d/f.bin is damaged: record ${index.toLocaleString('en-US')} .* has label ${label}, wanted`),
        );
        bytes[index * 3_073] = before;
      }),
      { numRuns: 20 },
    );
  });
});

describe('the six files', () => {
  test('give 50,000 training and 10,000 test images, in any order', async () => {
    async function* backwards() {
      for (const n of [5, 4, 3, 2, 1, 0]) yield { name: NAMES[n], origin: NAMES[n], bytes: batchFile(n) };
    }
    const { train, test } = await decodeBatches(backwards());
    expect([train.images.length, train.labels.length]).toEqual([50_000 * 3_072, 50_000]);
    expect([test.images.length, test.labels.length]).toEqual([10_000 * 3_072, 10_000]);
    for (const row of [0, 9_999, 10_000, 25_003, 49_999]) {
      const label = (row + Math.floor(row / 10_000)) % 10;
      expect(train.labels[row]).toBe(label);
      const pixel = 20 * Math.floor(row / 10_000) + label;
      expect([train.images[row * 3_072], train.images[row * 3_072 + 3_071]]).toEqual([pixel, pixel]);
    }
    expect([test.labels[7], test.images[7 * 3_072]]).toEqual([2, 102]);
  });

  test('are checked one by one', async () => {
    async function* oneRecordShort() {
      yield { name: NAMES[0], origin: '/d/data_batch_1.bin', bytes: batchFile(0).subarray(3_073) };
    }
    const error = await rejection(decodeBatches(oneRecordShort()));
    expect(error).toBeInstanceOf(DataError);
    expect(error.exitCode).toBe(3);
    expect(error.message).toMatch(
      /data_batch_1.bin has 30,726,927 bytes \(9,999 records\).*Replace it with a complete copy/,
    );
  });
});
