import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { linkSync, mkdirSync, mkdtempSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Dataset, loadDataset } from '../../src/dataset/load.ts';
import { DataError, UsageError } from '../../src/errors.ts';
import type { DatasetChoice } from '../../src/images.ts';
import {
  batchEntries,
  batchFile,
  NAMES,
  rejection,
  scratchFolder,
  TAR_END,
  tree,
  writeBatchFiles,
} from '../support/cifar10.ts';
import { NO_LIMITS, sha256 } from '../support/file-server.ts';

const scratch = scratchFolder();
const images = join(scratch, 'images');
/** Response of the server: a body, an error status, or undefined for none at all. */
let answer: string | number | Buffer | undefined;
let requests = 0;
const server = createServer((_, response) => {
  requests++;
  if (typeof answer === 'number') response.writeHead(answer).end();
  else if (answer !== undefined) response.end(answer);
});
let cwd: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  writeBatchFiles(images);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.close().closeAllConnections();
});

beforeEach(() => {
  cwd = mkdtempSync(join(scratch, 'cwd-'));
  const port = (server.address() as AddressInfo).port;
  env = {
    XDG_CACHE_HOME: join(cwd, 'cache'),
    KERAS_HOME: join(cwd, 'keras'),
    NN_TRAIN_CIFAR10_URL: `http://127.0.0.1:${port}/`,
  };
  answer = 503;
  requests = 0;
});

function load(choice: DatasetChoice, path?: string): Promise<Dataset> {
  return loadDataset({ choice, path, env, cwd, download: { limits: NO_LIMITS } });
}

async function refusal(choice: DatasetChoice, path?: string): Promise<string> {
  return messageOf(load(choice, path));
}

async function messageOf(loading: Promise<Dataset>): Promise<string> {
  const error = await rejection(loading);
  expect(error).toBeInstanceOf(DataError);
  expect(error.exitCode).toBe(3);
  return error.message;
}

/** Creates a folder with five intact files and the first one truncated to `bytes`. */
function damaged(folder: string, bytes: number): string {
  const path = join(cwd, folder);
  mkdirSync(path);
  for (const name of NAMES.slice(1)) linkSync(join(images, name), join(path, name));
  writeFileSync(join(path, NAMES[0]), '');
  truncateSync(join(path, NAMES[0]), bytes);
  return path;
}

describe('real images', () => {
  test('are the same from a folder and an archive, and need no network', async () => {
    const archive = join(cwd, 'mine.tar.gz');
    writeFileSync(archive, Buffer.concat([...batchEntries(), TAR_END]));
    symlinkSync(images, join(cwd, 'data'));

    const fromFolder = await load('auto');
    const fromArchive = await load('cifar10', 'mine.tar.gz');

    expect(fromFolder).toMatchObject({ name: 'cifar10', source: join(cwd, 'data') });
    expect(fromFolder).not.toHaveProperty('fallback');
    expect(fromFolder.classes[9]).toBe('truck');
    expect([fromFolder.train.labels.length, fromFolder.test.labels.length]).toEqual([50_000, 10_000]);
    expect(fromArchive.source).toBe(archive);
    expect(fromArchive.sha256).toBe(fromFolder.sha256);
    const { train, test } = fromFolder;
    const all = Buffer.concat([train.images, train.labels, test.images, test.labels]);
    expect(fromFolder.sha256).toBe(createHash('sha256').update(all).digest('hex'));
    expect(requests).toBe(0);
  });

  test.each(['auto', 'cifar10'] as const)('that are damaged are an error and never replaced: %s', async (choice) => {
    const named = damaged('mine', 30_730_000 - 3_073);
    expect(await refusal(choice, 'mine')).toContain(
      `${join(named, NAMES[0])} has 30,726,927 bytes (9,999 records), wanted 30,730,000`,
    );
    expect(await refusal(choice, 'nowhere')).toContain('nowhere: no such file or folder');
    env.NN_TRAIN_DATA_DIR = 'mine';
    expect(await refusal(choice)).toContain('9,999 records');
    env.NN_TRAIN_DATA_DIR = '';
    const found = damaged('data', 5);
    expect(await refusal(choice)).toContain(`${join(found, NAMES[0])} has 5 bytes, wanted 30,730,000`);
    expect(requests).toBe(0);
  });
});

test('an unknown choice is a usage error', async () => {
  const error = await load('cifar100' as never).catch((reason) => reason);
  expect(error).toBeInstanceOf(UsageError);
  expect([error.field, error.message]).toEqual([
    'choice',
    'choice must be one of auto, cifar10, synthetic, got cifar100',
  ]);
});

describe('without real images', () => {
  test('auto falls back to generated images and gives the reason', async () => {
    const dataset = await load('auto');
    expect(dataset).toMatchObject({ name: 'synthetic', source: 'generated' });
    expect([dataset.train.labels.length, dataset.test.labels.length]).toEqual([10_000, 2_000]);
    expect(dataset.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(dataset.fallback).toContain(`CIFAR-10 was not found in ${cwd}/data or ${cwd}/cache/nn-train`);
    expect(dataset.fallback).toContain(`and could not be downloaded: ${env.NN_TRAIN_CIFAR10_URL}: HTTP status 503`);
    expect(tree(cwd)).toEqual(['cache', 'cache/nn-train']);
  });

  test.skipIf(process.platform === 'win32')('auto falls back if the cache cannot be written', async () => {
    answer = Buffer.concat([...batchEntries(), TAR_END]);
    // Not even root may create folders there.
    env.XDG_CACHE_HOME = '/sys';
    const { name, fallback } = await load('auto');
    expect(name).toBe('synthetic');
    expect(fallback).toMatch(
      /could not be downloaded: cannot store the images in \/sys\/nn-train: .*; set XDG_CACHE_HOME/,
    );
    expect(await refusal('cifar10')).toContain('cannot store the images in /sys/nn-train');
  });

  test('a missing network is reported within 4 s', async () => {
    answer = undefined;
    const requested = once(server, 'request');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const refused = messageOf(loadDataset({ choice: 'cifar10', env, cwd }));
    await requested;
    await vi.advanceTimersByTimeAsync(4_000);
    vi.useRealTimers();
    expect(await refused).toMatch(/http:\S+: no data received for 4 s\./);
    expect(tree(cwd)).toEqual([]);
  });

  test('cifar10 is an error that names the places searched and what to do', async () => {
    expect(await refusal('cifar10')).toMatch(
      new RegExp(
        'searched in this order: NN_TRAIN_DATA_DIR \\(not set\\), ' +
          `${cwd}/data, ${cwd}/cache/nn-train, .*the network\\. ` +
          "The last failed: http.* HTTP status 503 .*\\. Download https://.* pass the file as path, or .* choice: 'synthetic'",
      ),
    );
  });

  test.each(['auto', 'cifar10'] as const)(
    'a download that is not an archive, or has other images, is an error for %s',
    async (choice) => {
      answer = 'not the archive';
      expect(await refusal(choice)).toMatch(
        /^http:\S+: archive\.tar\.gz looks like text; wanted an archive of CIFAR-10, .*\. Replace it/,
      );
      answer = Buffer.concat([...batchEntries(), TAR_END]);
      expect(await refusal(choice)).toMatch(
        /^http:\S+: .*data_batch_1\.bin in archive\.tar\.gz has SHA-256 \w+, wanted cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5: .* trust: true/,
      );
      expect(tree(cwd).filter((path) => path.includes('.'))).toEqual([]);
    },
  );

  test('they are downloaded into the cache and found there by later runs', async () => {
    answer = Buffer.concat([...batchEntries(), TAR_END]);
    const url = env.NN_TRAIN_CIFAR10_URL!;
    delete env.NN_TRAIN_CIFAR10_URL;
    const published = Object.fromEntries(NAMES.map((name, n) => [name, sha256(batchFile(n))]));
    const sources = [
      { id: 'test', kind: 'archive' as const, files: [{ name: 'file.tar.gz', url, sha256: sha256(answer) }] },
    ];
    const first = await loadDataset({ choice: 'auto', env, cwd, download: { sources, published, limits: NO_LIMITS } });
    expect(first).toMatchObject({ name: 'cifar10', source: join(cwd, 'cache/nn-train/cifar-10-batches-bin') });
    const requestsBefore = requests;
    const second = await load('auto');
    expect([second.source, second.sha256, requests]).toEqual([first.source, first.sha256, requestsBefore]);
  });

  test('synthetic neither searches nor downloads', async () => {
    damaged('data', 5);
    const dataset = await load('synthetic');
    expect(dataset).toMatchObject({ name: 'synthetic', source: 'generated' });
    expect(dataset).not.toHaveProperty('fallback');
    expect(requests).toBe(0);
  });
});

test('NN_TRAIN_CIFAR10_URL must be a valid URL', async () => {
  for (const url of ['ftp://example.com/', 'example.com', 'http://']) {
    env.NN_TRAIN_CIFAR10_URL = url;
    const error = await rejection(load('auto'));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toBe(`NN_TRAIN_CIFAR10_URL must be a URL that begins with https:// or http://, got '${url}'`);
  }
});

test('nothing is loaded after an abort', async () => {
  const reason = new Error('Ctrl-C');
  const signal = AbortSignal.abort(reason);
  expect(await rejection(loadDataset({ choice: 'synthetic', env, cwd, signal }))).toBe(reason);
});

describe('without options', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  test('the environment and the working directory are those of the process', async () => {
    vi.spyOn(process, 'cwd').mockReturnValue(cwd);
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    vi.stubEnv('NN_TRAIN_DATA_DIR', undefined);
    symlinkSync(images, join(cwd, 'data'));
    expect(await loadDataset()).toMatchObject({ name: 'cifar10', source: join(cwd, 'data') });
    vi.stubEnv('NN_TRAIN_DATA_DIR', images);
    expect((await loadDataset()).source).toBe(images);
  });
});
