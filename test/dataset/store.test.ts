import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Batch, decodeBatches, FILE_SHA256 } from '../../src/dataset/cifar10.ts';
import { readRecord, readStored, type StoreOptions, storeBatches, verifyFolder } from '../../src/dataset/store.ts';
import { DataError } from '../../src/errors.ts';
import { batchFile, NAMES, rejection, scratchFolder } from '../support/cifar10.ts';
import { sha256 } from '../support/file-server.ts';

const scratch = scratchFolder();
const published: Record<string, string> = {};
const files = new Map<string, Buffer>();
let parent: string;
let folder: string;

beforeAll(() => {
  for (const [n, name] of NAMES.entries()) {
    files.set(name, batchFile(n));
    published[name] = sha256(files.get(name)!);
  }
});

beforeEach(() => {
  parent = mkdtempSync(join(scratch, 'store-'));
  folder = join(parent, 'images');
});

/** The six files, all in the same buffer. @param change modifies the bytes of each. */
async function* batches(change: (name: string, bytes: Buffer) => void = () => {}): AsyncGenerator<Batch> {
  const memory = Buffer.alloc(10_000 * 3_073);
  for (const [name, bytes] of files) {
    bytes.copy(memory);
    change(name, memory);
    yield { name, origin: `${name} in a test`, bytes: memory };
  }
}

/** Changes a pixel of the last file. */
function retouch(name: string, bytes: Buffer): void {
  if (name === 'test_batch.bin') bytes[7] ^= 1;
}

function store(options: Partial<StoreOptions> = {}) {
  return storeBatches({ folder, batches: batches(), source: 'a test', published, ...options });
}

test('the published images are stored with a record of their source and replace an existing folder', async () => {
  mkdirSync(folder);
  writeFileSync(join(folder, 'data_batch_1.bin'), 'damaged');
  mkdirSync(`${folder}.tmp`);
  writeFileSync(join(`${folder}.tmp`, 'left'), 'by a process that was killed');
  const record = await store();
  expect(record).toEqual({
    source: 'a test',
    files: published,
    images: { train: 50_000, test: 10_000 },
    official: true,
  });
  expect(await readRecord(folder)).toEqual(record);
  expect(readdirSync(parent)).toEqual(['images']);
  expect(readdirSync(folder).sort()).toEqual([...NAMES, 'source.json'].sort());
  for (const [name, bytes] of files) expect(bytes.equals(readFileSync(join(folder, name)))).toBe(true);
});

test('other images are refused; if trusted, they are later compared with their own hashes', async () => {
  const error = await rejection(store({ batches: batches(retouch) }));
  expect(error).toBeInstanceOf(DataError);
  const retouched = Buffer.from(files.get('test_batch.bin')!);
  retouch('test_batch.bin', retouched);
  expect(error.message).toMatch(
    `test_batch.bin in a test has SHA-256 ${sha256(retouched)}, wanted ${published['test_batch.bin']}: `,
  );
  expect(error.message).toContain('trust: true');
  expect(readdirSync(parent)).toEqual([]);

  const { official } = await store({ batches: batches(retouch), trust: true });
  expect(official).toBe(false);
  const trusted = await verifyFolder(folder, { published });
  expect([trusted.official, trusted.files.every(({ ok }) => ok)]).toEqual([false, true]);
  writeFileSync(join(folder, 'test_batch.bin'), files.get('test_batch.bin')!);
  expect((await verifyFolder(folder, { published })).files.at(-1)).toEqual({
    name: 'test_batch.bin',
    sha256: published['test_batch.bin'],
    wanted: sha256(retouched),
    ok: false,
  });
});

describe('nothing is stored, and an existing folder is kept, if', () => {
  const faults: [string, () => AsyncIterable<Batch>, RegExp][] = [
    [
      'a label is invalid',
      () => batches((name, bytes) => name === 'data_batch_3.bin' && bytes.fill(10, 0, 1)),
      /data_batch_3.bin in a test is damaged: record 0/,
    ],
    [
      'a file is missing',
      async function* () {
        for await (const batch of batches()) if (batch.name !== 'data_batch_2.bin') yield batch;
      },
      /^a test is incomplete; missing: data_batch_2.bin$/,
    ],
    [
      'the source fails midway',
      async function* () {
        for await (const batch of batches()) {
          yield batch;
          if (batch.name === 'data_batch_2.bin') throw new DataError('the source failed');
        }
      },
      /^the source failed$/,
    ],
  ];
  test.each(faults)('%s', async (_, faulty, message) => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'data_batch_1.bin'), 'earlier');
    expect((await rejection(store({ batches: faulty(), trust: true }))).message).toMatch(message);
    expect(readdirSync(parent)).toEqual(['images']);
    expect(readFileSync(join(folder, 'data_batch_1.bin'), 'utf8')).toBe('earlier');
  });

  test('it is aborted', async () => {
    const controller = new AbortController();
    const reason = new Error('Ctrl-C');
    const stop = (name: string) => name === 'test_batch.bin' && controller.abort(reason);
    expect(await rejection(store({ batches: batches(stop), signal: controller.signal }))).toBe(reason);
    expect(readdirSync(parent)).toEqual([]);
  });
});

describe('a folder of images', () => {
  test('is compared with the published hashes, file by file', async () => {
    await store();
    expect(await verifyFolder(folder, { published })).toEqual({
      official: true,
      files: NAMES.map((name) => ({ name, sha256: published[name], wanted: published[name], ok: true })),
    });
    rmSync(join(folder, 'source.json'));
    rmSync(join(folder, 'data_batch_1.bin'));
    writeFileSync(join(folder, 'test_batch.bin'), 'cut');
    const { official, files: verified } = await verifyFolder(folder, { published });
    expect(official).toBe(false);
    expect(verified.map(({ ok }) => ok)).toEqual([false, true, true, true, true, false]);
    expect(verified[0]).toEqual({
      name: 'data_batch_1.bin',
      sha256: null,
      wanted: published['data_batch_1.bin'],
      ok: false,
    });
    expect(verified.at(-1)?.sha256).toBe(sha256(Buffer.from('cut')));
    expect((await verifyFolder(folder)).files.map(({ wanted }) => wanted)).toEqual(NAMES.map((n) => FILE_SHA256[n]));
  });

  test('may lack a record, but a damaged record is an error', async () => {
    mkdirSync(folder);
    expect(await readRecord(folder)).toBeUndefined();
    writeFileSync(join(folder, 'source.json'), '{"source":');
    expect((await rejection(verifyFolder(folder))).message).toMatch(
      /source\.json is damaged: it is not JSON at line 1, column 11: wanted a value, got the end of the file/,
    );
    expect(existsSync(folder)).toBe(true);
  });

  test.each<[record: unknown, problem: string]>([
    [null, 'it is null, wanted an object'],
    [[], "'source' is missing"],
    [{ source: 5 }, "'source' is 5, wanted a string"],
    [{ source: 'a' }, "'files' is missing"],
    [{ source: 'a', files: null, official: true }, "'files' is null, wanted an object"],
    [{ source: 'a', files: {}, official: true }, "'files' is {}, wanted a SHA-256 for each of data_batch_1.bin"],
    [{ source: 'a', files: { ...published, 'test_batch.bin': 0 }, official: true }, 'is 0, wanted a string'],
    [{ source: 'a', files: { ...published, 'test_batch.bin': 'x' }, official: true }, "is 'x', wanted 64 hexadecimal"],
    [{ source: 'a', files: published, official: 'no' }, "'official' is 'no', wanted true or false"],
  ])('refuses the record %j', async (record, problem) => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'source.json'), JSON.stringify(record));
    const error = await rejection(readRecord(folder));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/source\.json is damaged: .*; without this file, the images are compared with the/);
    expect(error.message).toContain(problem);
  });
});

describe('another number of images', () => {
  /** Two records in the first file and one in the last. */
  async function* few(): AsyncGenerator<Batch> {
    for (const [name, bytes] of files) {
      const count = { 'data_batch_1.bin': 2, 'test_batch.bin': 1 }[name] ?? 0;
      yield { name, origin: name, bytes: bytes.subarray(0, count * 3073), isTrusted: true };
    }
  }

  test('is stored with its count if trusted, and then read without asking again', async () => {
    expect((await rejection(storeBatches({ folder, batches: few(), source: 'a test' }))).message).toContain(
      'trust: true',
    );
    const record = await storeBatches({ folder, batches: few(), source: 'a test', trust: true });
    expect(record).toMatchObject({ images: { train: 2, test: 1 }, official: false });
    const { train, test } = await decodeBatches(readStored(folder));
    expect([[...train.labels], [...test.labels]]).toEqual([[0, 1], [5]]);
    expect((await verifyFolder(folder)).files.every(({ ok }) => ok)).toBe(true);
  });

  test('is refused if a file is not the stored one any more, or has no record', async () => {
    await storeBatches({ folder, batches: few(), source: 'a test', trust: true });
    const path = join(folder, 'data_batch_1.bin');
    writeFileSync(path, readFileSync(path).subarray(3073));
    expect((await rejection(decodeBatches(readStored(folder)))).message).toMatch(
      /^.*data_batch_1\.bin has SHA-256 .*, wanted .* as when it was stored/,
    );
    rmSync(join(folder, 'source.json'));
    expect((await rejection(decodeBatches(readStored(folder)))).message).toMatch(
      /data_batch_1\.bin has 3,073 bytes \(1 record\), wanted 30,730,000.* To accept another number of images, add trust: true\.$/,
    );
    expect((await decodeBatches(readStored(folder, { trust: true }))).train.labels.length).toBe(1);
    writeFileSync(path, readFileSync(path).subarray(1));
    expect((await rejection(decodeBatches(readStored(folder, { trust: true })))).message).toContain(
      'has 3,072 bytes, wanted up to 100,000 records of 3,073 bytes',
    );
  });
});
