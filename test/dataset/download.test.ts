import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DatasetEvent, DownloadError, type DownloadOptions, downloadCifar10 } from '../../src/dataset/download.ts';
import { DataError, FileError } from '../../src/errors.ts';
import {
  batchEntries,
  batchFile,
  NAMES,
  rejection,
  scratchFolder,
  TAR_END,
  tarEntry,
  tree,
} from '../support/cifar10.ts';

const scratch = scratchFolder();
const ARCHIVE = Buffer.concat([...batchEntries(), TAR_END]);

let servers: Server[] = [];
let cache: string;

beforeEach(() => {
  cache = join(mkdtempSync(join(scratch, 'home-')), 'nn-train');
});

afterEach(() => {
  for (const server of servers) server.close().closeAllConnections();
  servers = [];
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function download(url: string, options: Partial<DownloadOptions> = {}): Promise<string> {
  return downloadCifar10({ cacheFolder: cache, url, sha256: sha256(ARCHIVE), ...options });
}

describe('a download', () => {
  test('leaves the six files and nothing else, follows redirects, and tells how far it is', async () => {
    const events: DatasetEvent[] = [];
    const url = await serve((request, response) => {
      if (request.url === '/') response.writeHead(302, { location: '/moved' }).end();
      else response.writeHead(200, { 'content-length': ARCHIVE.length }).end(ARCHIVE);
    });

    const folder = await download(url, { onEvent: (event) => events.push(event) });

    expect(folder).toBe(join(cache, 'cifar-10-batches-bin'));
    expect(tree(cache)).toEqual(['cifar-10-batches-bin', ...NAMES.map((name) => join('cifar-10-batches-bin', name))]);
    for (const [n, name] of NAMES.entries()) {
      expect(batchFile(n).equals(readFileSync(join(folder, name)))).toBe(true);
    }
    expect(events.at(0)).toEqual({ kind: 'download-started', url });
    const { length: total } = ARCHIVE;
    const progress = events.slice(1, -1).map((event) => (event.kind === 'download-progress' ? event.received : NaN));
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(events.at(-2)).toEqual({ kind: 'download-progress', received: total, total });
    expect(events.at(-1)).toEqual({ kind: 'download-finished', path: folder });
  });

  test('that another run finished first takes the files of that run', async () => {
    const url = await serve((_, response) => {
      mkdirSync(join(cache, 'cifar-10-batches-bin'), { recursive: true });
      writeFileSync(join(cache, 'cifar-10-batches-bin', 'data_batch_1.bin'), 'theirs');
      response.write(ARCHIVE, () => response.end()); // no Content-Length
    });
    const totals = new Set<unknown>();
    const onEvent = (event: DatasetEvent) => event.kind === 'download-progress' && totals.add(event.total);
    const folder = await download(url, { onEvent });
    expect(readFileSync(join(folder, 'data_batch_1.bin'), 'utf8')).toBe('theirs');
    expect(tree(cache)).toHaveLength(2);
    expect([...totals]).toEqual([undefined]);
  });
});

const half = ARCHIVE.subarray(0, ARCHIVE.length >> 1);
const changed = Buffer.from(ARCHIVE).fill(1, 99, 100);

const faults: [string, RequestListener, RegExp][] = [
  ['an error status', (_, response) => response.writeHead(503).end(), /answered 503 Service Unavailable, wanted 200$/],
  ['no content', (_, response) => response.writeHead(204).end(), /answered 204 No Content, wanted 200$/],
  [
    'a web page',
    (_, response) => response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<html>'),
    /answered with a web page \(text\/html; charset=utf-8\), wanted an archive$/,
  ],
  [
    'changed bytes',
    (_, response) => response.end(changed),
    new RegExp(`have the SHA-256 ${sha256(changed)}, wanted ${sha256(ARCHIVE)}: the archive was damaged`),
  ],
  [
    'the first half',
    (_, response) => response.write(half, () => response.end()),
    new RegExp(`have the SHA-256 ${sha256(half)}, wanted`),
  ],
  [
    'a connection that is cut half way',
    (_, response) =>
      response.writeHead(200, { 'content-length': ARCHIVE.length }).write(half, () => response.destroy()),
    /^the connection to http:\S+ failed: (other side closed|.*ECONNRESET)$/,
  ],
  [
    'a connection that is closed',
    (request) => request.destroy(),
    /^the connection to http:\S+ failed: (other side closed|.*ECONNRESET)$/,
  ],
  [
    'redirects in a circle',
    (_, response) => response.writeHead(302, { location: '/' }).end(),
    /failed: redirect count exceeded$/,
  ],
];

describe('a failure leaves no trace, and earlier files whole:', () => {
  beforeEach(() => {
    mkdirSync(join(cache, 'cifar-10-batches-bin'), { recursive: true });
    writeFileSync(join(cache, 'cifar-10-batches-bin', 'earlier.bin'), 'earlier');
  });

  afterEach(() => {
    expect(tree(cache)).toEqual(['cifar-10-batches-bin', join('cifar-10-batches-bin', 'earlier.bin')]);
    expect(readFileSync(join(cache, 'cifar-10-batches-bin', 'earlier.bin'), 'utf8')).toBe('earlier');
  });

  test.each(faults)('%s', async (_, listener, message) => {
    const events: string[] = [];
    const error = await rejection(download(await serve(listener), { onEvent: ({ kind }) => events.push(kind) }));
    // `auto` takes the stand-in for a DownloadError only; a wrong archive is damage.
    expect(error instanceof DownloadError).toBe(!error.message.includes('SHA-256'));
    expect(error.exitCode).toBe(3);
    expect(error.message).toMatch(message);
    expect(events[0]).toBe('download-started');
    expect(events).not.toContain('download-finished');
  });

  test('silence from the start and half way', async () => {
    const patience = { answer: 200, silence: 100 };
    const url = await serve(({ url }, response) => {
      if (url === '/half') response.writeHead(200, { 'content-length': ARCHIVE.length }).write(half);
    });
    expect((await rejection(download(url, { patience }))).message).toBe(`nothing came from ${url} for 0.2 s`);
    const stalled = await rejection(download(`${url}half`, { patience: { ...patience, answer: 3_000 } }));
    expect(stalled).toBeInstanceOf(DownloadError);
    expect(stalled.message).toBe(`nothing came from ${url}half for 0.1 s`);
  });

  test('nobody listens', async () => {
    const url = await serve(() => {});
    await new Promise((resolve) => servers.pop()!.close(resolve));
    const error = await rejection(download(url));
    expect(error).toBeInstanceOf(DownloadError);
    expect(error.message).toMatch(/^the connection to http:\S+ failed: connect ECONNREFUSED 127.0.0.1/);
  });

  test('an archive with the right hash and the wrong files', async () => {
    const wrong = Buffer.concat([tarEntry(NAMES[0], batchFile(0)), tarEntry(NAMES[1], batchFile(0).fill(10)), TAR_END]);
    const url = await serve((_, response) => response.end(wrong));
    const error = await rejection(download(url, { sha256: sha256(wrong) }));
    expect(error).toBeInstanceOf(DataError);
    expect(error).not.toBeInstanceOf(DownloadError);
    expect(error.message).toMatch(/^data_batch_2.bin in .* is damaged: record 0 .* has the label 10/);
  });

  test('Ctrl-C while nothing comes, half way, and with the last byte', async () => {
    const answers: RequestListener[] = [
      () => {},
      (_, response) => response.writeHead(200, { 'content-length': ARCHIVE.length }).write(half),
      (_, response) => response.writeHead(200, { 'content-length': ARCHIVE.length }).end(ARCHIVE),
    ];
    for (const [n, answer] of answers.entries()) {
      const controller = new AbortController();
      const reason = new Error('Ctrl-C');
      const abort = () => controller.abort(reason);
      const url = await serve((request, response) => {
        if (n === 0) abort();
        answer(request, response);
      });
      const onEvent = (event: DatasetEvent) => {
        if (event.kind === 'download-progress' && event.received >= [0, 1, ARCHIVE.length][n]) abort();
      };
      expect(await rejection(download(url, { signal: controller.signal, onEvent }))).toBe(reason);
    }
  });
});

test('a cache that cannot be written is an error of the disk, not of the network', async () => {
  writeFileSync(cache, 'a file where the folder should be');
  const url = await serve((_, response) => response.end(ARCHIVE));
  const error = await rejection(download(url));
  expect(error).toBeInstanceOf(FileError);
  expect(error.exitCode).toBe(1);
  expect(error.message).toMatch(/^cannot store the images in .*nn-train: EEXIST.*XDG_CACHE_HOME/);
});
