import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodePicture } from '../../../src/pictures/decode.ts';
import {
  batchEntries,
  batchFile,
  NAMES,
  scratchFolder,
  TAR_END,
  tarEntry,
  tree,
  writeBatchFiles,
} from '../../support/cifar10.ts';
import { PYTHON_NAMES, pythonFile } from '../../support/cifar10-versions.ts';
import { nnTrain } from '../../support/cli.ts';
import { hasBytes } from '../../support/file-server.ts';
import { temporaryFolder } from '../../support/files.ts';

const ARCHIVE = Buffer.concat([...batchEntries(), TAR_END]);
const scratch = scratchFolder();
const images = path.join(scratch, 'images');
let home: string;
let cached: string;
const closing: (() => void)[] = [];

beforeAll(() => {
  writeBatchFiles(images);
});

beforeEach(() => {
  home = temporaryFolder();
  cached = path.join(home, 'nn-train', 'cifar-10-batches-bin');
});

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Runs `nn-train data …` in an empty home. */
function data(args: readonly string[], options: Parameters<typeof nnTrain>[1] = {}) {
  const env = { XDG_CACHE_HOME: home, HOME: home, ...options.env };
  return nnTrain(['data', ...args], { cwd: home, isPatient: true, ...options, env });
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  closing.push(() => server.close().closeAllConnections());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/cifar-10-binary.tar.gz`;
}

describe('data download', () => {
  it('accepts other images only with --trust, and does not download them again', async () => {
    const url = await serve((_, response) =>
      response.writeHead(200, { 'content-length': ARCHIVE.length }).end(ARCHIVE),
    );
    const refused = await data(['download', '--url', url]);
    expect([refused.code, refused.stdout]).toEqual([3, '']);
    expect(refused.stderr).toMatch(/^error: .*data_batch_1\.bin.*SHA-256.*--trust/m);
    expect(existsSync(cached)).toBe(false);

    const trusted = await data(['download', '--url', url, '--trust']);
    expect([trusted.code, trusted.stdout]).toEqual([0, `${cached}\n`]);
    expect(trusted.stderr).toContain(`downloading CIFAR-10 from ${url}`);
    for (const [n, name] of NAMES.entries()) {
      expect(batchFile(n).equals(readFileSync(path.join(cached, name)))).toBe(true);
    }
    const again = await data(['download', '--url', url, '--trust']);
    expect([again.code, again.stdout]).toEqual([0, `${cached}\n`]);
    expect(again.stderr).toMatch(/^already in the cache/);
  });

  it('keeps what was received on Ctrl-C, says how to resume, and resumes there', async () => {
    const half = ARCHIVE.length >> 1;
    const ranges: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      if (request.method === 'HEAD') return response.end();
      const { range } = request.headers;
      ranges.push(range);
      const from = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
      response.setHeader('etag', '"one"');
      response.setHeader('content-length', ARCHIVE.length - from);
      if (from === 0) {
        response.writeHead(200).write(ARCHIVE.subarray(0, half));
        // Slow, but never silent for long enough to time out.
        let at = half;
        const trickle = setInterval(() => response.write(ARCHIVE.subarray(at, ++at)), 1000);
        response.on('close', () => clearInterval(trickle));
      } else {
        response.setHeader('content-range', `bytes ${from}-${ARCHIVE.length - 1}/${ARCHIVE.length}`);
        response.writeHead(206).end(ARCHIVE.subarray(from));
      }
      return undefined;
    });
    const args = ['download', '--url', url, '--trust'];
    const stopped = await data(args, {
      onStart: async (child) => {
        const hasHalf = (file: string) => file.endsWith('.part') && hasBytes(path.join(home, file), half);
        while (child.exitCode === null && !tree(home).some(hasHalf)) await sleep(10);
        child.kill('SIGINT');
      },
    });
    expect([stopped.code, stopped.stdout]).toEqual([130, '']);
    const done = await data(args);
    expect([done.code, done.stdout]).toEqual([0, `${cached}\n`]);
    expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=\d+-$/)]);
    const kept = Number.parseInt(ranges[1]!.slice('bytes='.length), 10);
    expect(kept).toBeGreaterThanOrEqual(half);
    expect(stopped.stderr).toContain(
      `stopped; ${(kept / 1e6).toFixed(1)} MB kept; resume with nn-train data download --url ${url} --trust\n`,
    );
    expect(batchFile(5).equals(readFileSync(path.join(cached, 'test_batch.bin')))).toBe(true);
  });

  it('downloads again if a file was damaged since', async () => {
    const url = await serve((_, response) => response.end(ARCHIVE));
    await data(['download', '--url', url, '--trust']);
    // Pretend that these were the published images.
    const note = path.join(cached, 'source.json');
    writeFileSync(note, JSON.stringify({ ...JSON.parse(readFileSync(note, 'utf8')), official: true }));
    const file = path.join(cached, 'test_batch.bin');
    writeFileSync(file, readFileSync(file).fill(0, 5000, 5001));
    const { code, stdout, stderr } = await data(['download', '--url', url, '--trust']);
    expect([code, stdout]).toEqual([0, `${cached}\n`]);
    expect(stderr).toMatch(/^test_batch\.bin is damaged or missing; downloading again\ndownloading/);
    expect(batchFile(5).equals(readFileSync(file))).toBe(true);
  });

  it('suggests an import if the network fails', async () => {
    const url = await serve((_, response) => response.writeHead(503).end());
    const { code, stdout, stderr } = await data(['download'], { env: { NN_TRAIN_CIFAR10_URL: url } });
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(
      /error: .*503.*; download .* on another machine and import it with nn-train data import FILE\n$/,
    );
  });

  it('rejects a URL that is not http or https', async () => {
    const { code, stderr } = await data(['download', '--url', 'ftp://example.org/x']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: --url is 'ftp:\/\/example\.org\/x', wanted a URL that begins with https:/);
  });
});

describe('data import', () => {
  it('converts any format into the cache, but other images only with --trust', async () => {
    const refused = await data(['import', images]);
    expect([refused.code, refused.stdout]).toEqual([3, '']);
    expect(refused.stderr).toMatch(/^error: .*data_batch_1\.bin.*SHA-256.*--trust/m);
    expect(existsSync(cached)).toBe(false);

    const archive = path.join(home, 'my.tar.gz');
    const entries = PYTHON_NAMES.map((name, n) => tarEntry(`cifar-10-batches-py/${name}`, pythonFile(batchFile(n))));
    writeFileSync(archive, Buffer.concat([...entries, TAR_END]));
    expect((await data(['info', archive])).stdout).toContain('format   the Python archive\n');
    const trusted = await data(['import', 'my.tar.gz', '--trust']);
    expect([trusted.code, trusted.stdout]).toEqual([0, `${cached}\n`]);
    expect(trusted.stderr).toContain('not the official images');
    expect(batchFile(3).equals(readFileSync(path.join(cached, 'data_batch_4.bin')))).toBe(true);

    const verified = await data(['verify']);
    expect(verified.code).toBe(0);
    expect(verified.stdout).toContain('they are not the official ones');

    // A download does not replace images that the user imported.
    const other = await data(['download']);
    expect([other.code, other.stdout]).toEqual([3, '']);
    expect(other.stderr).toContain(`remove them first: rm -r ${cached}`);
    const replaced = await data(['import', images, '--trust']);
    expect([replaced.code, replaced.stdout]).toEqual([0, `${cached}\n`]);
    expect(replaced.stderr).toContain(`replacing those from ${archive}`);
  });

  it('names the folder that it cannot write', async () => {
    symlinkSync(path.join(home, 'nowhere'), path.join(home, 'nn-train'));
    const { code, stdout, stderr } = await data(['import', images, '--trust']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^error: cannot store the images in .*cifar-10-batches-bin: .*\n$/);
    expect(stderr).toContain(cached);
  });

  it('rejects paths without images', async () => {
    writeFileSync(path.join(home, 'notes.txt'), 'no images');
    for (const place of ['notes.txt', 'nowhere', '.']) {
      const { code, stdout, stderr } = await data(['import', place]);
      expect([place, code, stdout]).toEqual([place, 3, '']);
      expect(stderr).toMatch(/^error: .*\n$/);
      expect(stderr).toContain(place);
    }
  });
});

describe('data verify', () => {
  it('finds the one file that changed since it was trusted, and exits with 3', async () => {
    await data(['import', images, '--trust']);
    const file = path.join(cached, 'data_batch_2.bin');
    const bytes = readFileSync(file);
    bytes[1234] ^= 1;
    writeFileSync(file, bytes);
    const { code, stdout } = await data(['verify']);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^data_batch_1\.bin .*✓ same$/m);
    expect(stdout).toMatch(/^data_batch_2\.bin .*✗ differs$/m);
    expect(stdout).toContain('1 of the 6 files differs: damaged or changed');

    const json = await data(['verify', '--json']);
    expect(json.code).toBe(3);
    const { ok, official, files } = JSON.parse(json.stdout);
    expect([ok, official]).toEqual([false, false]);
    expect(files.map((one: { ok: boolean }) => one.ok)).toEqual([true, false, true, true, true, true]);
  });

  it('compares untrusted images of any format with the published hashes', async () => {
    writeFileSync(path.join(home, 'my.tar.gz'), ARCHIVE);
    for (const place of [images, 'my.tar.gz']) {
      const { code, stdout } = await data(['verify', place]);
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
    const { code, stdout, stderr } = await data(args);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`images   ${images}\n`);
    expect(stdout).toContain('0 of 6 have the published SHA-256');
    expect(stdout).toMatch(/^automobile +5,000 +1,000$/m);
    expect(stdout).toMatch(/^all +50,000 +10,000$/m);
    const sheet = decodePicture(readFileSync(path.join(home, 'sheet.png')), 'sheet.png');
    // Ten tiles of 64 pixels and eleven gaps of 6, with the names beside them.
    expect(sheet.height).toBe(10 * 64 + 11 * 6);
    const at = (x: number, y: number) => sheet.rgb[3 * (y * sheet.width + x)];
    // The first ten images of class c in the first file have the pixels 20·0 + c.
    for (const c of [0, 3, 9]) expect(at(sheet.width - 30, 6 + 70 * c + 32)).toBe(c);

    const info = JSON.parse((await data([...args, '--json'])).stdout);
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
    await data(['import', images, '--trust']);
    expect((await data(['info'])).stdout).toContain(`source   ${images}\n`);
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
    const none = await data(['path'], { env });
    expect([none.code, none.stdout, requests]).toEqual([3, '', 0]);
    expect(none.stderr).toMatch(/^error: no CIFAR-10 found in .*; download it with nn-train data download\n$/);

    const named = await data(['path'], { env: { NN_TRAIN_DATA_DIR: images } });
    expect([named.code, named.stdout]).toEqual([0, `${images}\n`]);
    mkdirSync(path.join(home, 'data'));
    writeBatchFiles(path.join(home, 'data'));
    expect((await data(['path'])).stdout).toBe(`${path.join(home, 'data')}\n`);
  });
});

it('lists its commands, and rejects others', async () => {
  const help = await data(['--help']);
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
  const unknown = await data(['fetch']);
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain("unknown command 'fetch'");
});
