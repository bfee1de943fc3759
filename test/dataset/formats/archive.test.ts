import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readArchive } from '../../../src/dataset/formats/archive.ts';
import { DataError } from '../../../src/errors.ts';
import {
  batchEntries,
  batchFile,
  drain,
  NAMES,
  rejection,
  scratchFolder,
  TAR_END,
  tarEntry,
  tree,
} from '../../support/cifar10.ts';

const folder = scratchFolder();
const archive = join(folder, 'cifar-10-binary.tar.gz');
const SIX = batchEntries();

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

/** Writes the archive and returns the error of reading it. */
async function failure(...pieces: Uint8Array[]): Promise<Error> {
  writeFileSync(archive, Buffer.concat(pieces));
  const error = await rejection(drain(readArchive(archive)));
  expect(error).toBeInstanceOf(DataError);
  expect(error.message).toContain(archive);
  return error;
}

async function names(...pieces: Uint8Array[]): Promise<string[]> {
  writeFileSync(archive, Buffer.concat(pieces));
  const found: string[] = [];
  for await (const { name, bytes } of readArchive(archive)) {
    expect(batchFile(NAMES.indexOf(name)).equals(bytes)).toBe(true);
    found.push(name);
  }
  return found;
}

describe('an archive', () => {
  test('gives its six files and writes nothing, whatever else it contains', async () => {
    const evil = Buffer.from('evil');
    const found = await names(
      tarEntry('cifar-10-batches-bin/batches.meta.txt', evil),
      tarEntry('../outside.txt', evil),
      tarEntry(join(folder, 'absolute.txt'), evil),
      tarEntry('../cifar-10-batches-bin/test_batch.bin', evil),
      tarEntry('/cifar-10-batches-bin/test_batch.bin', evil),
      tarEntry('other/test_batch.bin', evil),
      tarEntry('cifar-10-batches-bin/link', undefined, { type: 'SymbolicLink', linkpath: '/etc/passwd' }),
      tarEntry('cifar-10-batches-bin/hard', undefined, { type: 'Link', linkpath: '../../etc/passwd' }),
      tarEntry('null', undefined, { type: 'CharacterDevice' }),
      ...SIX,
      TAR_END,
    );
    expect(found).toEqual(NAMES);
    expect(tree(folder)).toEqual(['cifar-10-binary.tar.gz']);
  });

  test('may contain them without their folder, with a leading ./, and in any order', async () => {
    const prefixes = ['', './', './cifar-10-batches-bin/', '', './', 'cifar-10-batches-bin/'];
    const entries = NAMES.map((name, n) => tarEntry(prefixes[n] + name, batchFile(n)));
    expect(await names(...entries.reverse(), TAR_END)).toEqual(NAMES.toReversed());
  });

  test('may be a plain tar file, whatever its name', async () => {
    expect(await names(gunzipSync(Buffer.concat([...SIX, TAR_END])))).toEqual(NAMES);
  });

  test('may contain another, huge file, which is not loaded into memory', async () => {
    const MEGABYTE = 1 << 20;
    const zeros = gzipSync(Buffer.alloc(64 * MEGABYTE), { level: 1 });
    const huge = tarEntry('huge.bin', undefined, { size: 512 * MEGABYTE });
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    const samples: number[] = [];
    const sampler = setInterval(() => samples.push(process.memoryUsage().arrayBuffers), 5);
    const error = await failure(huge, ...Array(8).fill(zeros), SIX[0], TAR_END);
    clearInterval(sampler);
    expect(error.message).toContain(`is incomplete; missing: ${NAMES.slice(1).join(', ')}.`);
    expect(samples.length).toBeGreaterThan(10);
    expect(Math.max(...samples)).toBeLessThan(before + 256 * MEGABYTE);
  });
});

describe('an archive is refused', () => {
  test.each(['SymbolicLink', 'Link'] as const)('with a %s in place of a file', async (type) => {
    const link = tarEntry('cifar-10-batches-bin/data_batch_2.bin', undefined, { type, linkpath: '/etc/passwd' });
    const { message } = await failure(SIX[0], link, TAR_END);
    expect(message).toContain(`data_batch_2.bin in ${archive} is a ${type}, wanted a regular file`);
  });

  test('with a file of the wrong size, before it is read', async () => {
    const { message } = await failure(tarEntry('test_batch.bin', undefined, { size: 10 * 2 ** 30 }));
    expect(message).toContain(`test_batch.bin in ${archive} has 10,737,418,240 bytes, wanted 30,730,000`);
  });

  test('with one file twice', async () => {
    const again = tarEntry('data_batch_1.bin', batchFile(0));
    expect((await failure(SIX[0], again, TAR_END)).message).toContain(`${archive} contains data_batch_1.bin twice`);
  });

  test('with a file missing', async () => {
    const { message } = await failure(...SIX.slice(0, 5), TAR_END);
    expect(message).toContain('is incomplete; missing: test_batch.bin. ');
  });

  test('truncated or changed at any byte, unless the files in it are unchanged', async () => {
    const original = batchFile(0);
    const whole = Buffer.concat([SIX[0], TAR_END]);
    const place = fc.integer({ min: 1, max: SIX[0].length - 1 });
    await fc.assert(
      fc.asyncProperty(place, fc.nat(255), async (at, change) => {
        const damaged = change === 0 ? whole.subarray(0, at) : Buffer.from(whole);
        damaged[at] ^= change;
        writeFileSync(archive, damaged);
        const found: boolean[] = [];
        const reading = async () => {
          for await (const { bytes } of readArchive(archive)) found.push(original.equals(bytes));
        };
        // The archive has only one of the six files, so undetected damage ends in this error.
        const { message } = await rejection(reading());
        if (message.includes('incomplete')) expect([...found, change > 0]).toEqual([true, true]);
      }),
      { numRuns: 20, examples: [[SIX[0].length >> 1, 0]] },
    );
  });

  test.each([
    [
      'a compressed text',
      gzipSync('not a tar file'.repeat(100)),
      'the content of FILE looks like text; wanted an archive',
    ],
    ['cut off', SIX[0].subarray(0, 5_000), 'FILE is cut off: it ends before its contents do. Replace it'],
    [
      'a gzip file around a tar file cut off',
      tarEntry('a.bin', undefined, { size: 9_999 }),
      'FILE is cut off: it ends',
    ],
    [
      'changed',
      Buffer.concat([SIX[0].subarray(0, 5_000), Buffer.alloc(9), SIX[0].subarray(5_009)]),
      'FILE is damaged (i',
    ],
    [
      'CIFAR-100',
      tarEntry('cifar-100-binary/train.bin', Buffer.alloc(3_074)),
      'FILE is CIFAR-100; wanted an archive of',
    ],
    ['for MATLAB', tarEntry('cifar-10-batches-mat/data_batch_1.mat'), 'FILE is the MATLAB version of CIFAR-10; wanted'],
    ['of something else', tarEntry('a/b.txt'), 'none of the six files of CIFAR-10; it has "a/b.txt"; wanted'],
    ['empty', Buffer.alloc(0), 'FILE is empty; wanted an archive of CIFAR-10'],
    [
      'a web page',
      Buffer.from('\n<!-- © -->\n<!DOCTYPE html>'),
      'is an HTML page; wanted an archive of CIFAR-10, such as',
    ],
    ['a ZIP archive', Buffer.from('PK\x03\x04', 'latin1'), 'FILE is a ZIP archive; wanted'],
    [
      'for git-lfs',
      Buffer.from('version https://git-lfs.github.com/spec/v1\n'),
      'Fetch the file itself with `git lfs pull`',
    ],
    ['one of the six files', batchFile(1), 'FILE has 10,000 records; wanted an archive'],
    ['a file of CIFAR-100', Buffer.alloc(2 * 3_074, 7), 'FILE has 2 records of CIFAR-100; wanted an archive'],
  ])('that is %s', async (_, content, reason) => {
    const { message } = await failure(content);
    expect(message.replace(archive, 'FILE')).toContain(reason);
  });

  test('that unpacks to more than 4 GiB, before it does', async () => {
    const { message } = await failure(tarEntry('huge', undefined, { size: 2 ** 33 }), TAR_END);
    expect(message).toContain('unpacks to more than 4 GiB; wanted an archive of CIFAR-10');
  });

  // Windows has no named pipes in folders.
  test.skipIf(process.platform === 'win32')('that is a named pipe, without waiting for a writer', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const { message } = await rejection(drain(readArchive(pipe)));
    expect(message).toBe(`cannot read ${pipe}: it is a named pipe, wanted a regular file`);
  });

  test('that does not exist', async () => {
    const error = await rejection(drain(readArchive(join(folder, 'none.tar.gz'))));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toBe(`cannot read ${join(folder, 'none.tar.gz')}: no such file or folder`);
  });
});

test('an aborted read rejects with the reason of the signal', async () => {
  writeFileSync(archive, Buffer.concat([...SIX, TAR_END]));
  const controller = new AbortController();
  const reason = new Error('Ctrl-C');
  const batches = readArchive(archive, { signal: controller.signal });
  await batches.next();
  controller.abort(reason);
  expect(await rejection(drain(batches))).toBe(reason);
});
