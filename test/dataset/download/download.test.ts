import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type DatasetEvent, type DownloadOptions, downloadCifar10 } from '../../../src/dataset/download/download.ts';
import { DownloadError } from '../../../src/dataset/download/failures.ts';
import { type RemoteSource, selectSources } from '../../../src/dataset/download/sources.ts';
import { verifyFolder } from '../../../src/dataset/store.ts';
import { DataError, FileError, UsageError } from '../../../src/errors.ts';
import {
  batchEntries,
  batchFile,
  NAMES,
  rejection,
  scratchFolder,
  TAR_END,
  tarEntry,
  tree,
} from '../../support/cifar10.ts';
import { PYTHON_NAMES, pythonFile } from '../../support/cifar10-versions.ts';
import { FileServer, hasBytes, NO_LIMITS, sha256 } from '../../support/file-server.ts';

// More than 250 lines because successes and failures share the archive, the cache folder and the checks of both.

const scratch = scratchFolder();
const IDLE_MS = 300;
const IMAGES = [
  'cifar-10-batches-bin',
  ...[...NAMES, 'source.json'].sort().map((name) => join('cifar-10-batches-bin', name)),
];
const published: Record<string, string> = {};
let archive: Buffer;
let cache: string;
let events: DatasetEvent[];

beforeAll(() => {
  archive = Buffer.concat([...batchEntries(), TAR_END]);
  for (const [n, name] of NAMES.entries()) published[name] = sha256(batchFile(n));
});

beforeEach(() => {
  cache = join(mkdtempSync(join(scratch, 'home-')), 'nn-train');
  events = [];
});

/** @param source server of the first file of the same source; the server itself unless given. */
async function serve(content = archive, name = 'file.tar.gz', source?: FileServer): Promise<FileServer> {
  const server = await FileServer.start(content);
  const path = join('downloads', new URL((source ?? server).url).port, `${name}.part`);
  server.arrived = (position) => position <= 0 || hasBytes(join(cache, path), position);
  return server;
}

/** Source with a single file on a server. */
function sourceOf({ url }: { url: string }, content = archive): RemoteSource {
  const id = new URL(url).port;
  return { id, kind: 'archive', files: [{ name: 'file.tar.gz', url, bytes: content.length, sha256: sha256(content) }] };
}

/** Source that a user-supplied URL selects. */
function customSources(url: string): readonly RemoteSource[] {
  return selectSources({}, url)!;
}

function download(sources: readonly RemoteSource[], options: Partial<DownloadOptions> = {}): Promise<string> {
  const onEvent = (event: DatasetEvent) => events.push(event);
  return downloadCifar10({ env: {}, cacheFolder: cache, sources, published, limits: NO_LIMITS, onEvent, ...options });
}

/** Records events, and lets time pass for the download only as the servers send, each at its rate in bytes per second;
 *  after `bytes` from `silent`, the longest wait of all. */
function useFakeClock(rates: ReadonlyMap<FileServer, number>, silent?: FileServer, bytes?: number) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const rateOf = new Map(Array.from(rates, ([{ url }, rate]) => [url, rate]));
  let [url, before] = ['', Infinity];
  return (event: DatasetEvent) => {
    events.push(event);
    if (event.kind === 'started') [url, before] = [event.url, Infinity];
    if (event.kind !== 'progress') return;
    const { received } = event;
    vi.advanceTimersByTime((1000 * Math.max(0, received - before)) / (rateOf.get(url) ?? Infinity));
    before = received;
    // Once the transfer waits for the next byte.
    if (url === silent?.url && received === bytes) setImmediate(() => vi.advanceTimersByTime(IDLE_MS));
  };
}

function eventsOf<K extends DatasetEvent['kind']>(kind: K): Extract<DatasetEvent, { kind: K }>[] {
  return events.filter((event): event is Extract<DatasetEvent, { kind: K }> => event.kind === kind);
}

/** Expects the six published files and nothing else. */
async function expectImages(): Promise<void> {
  expect(tree(cache)).toEqual(IMAGES);
  expect((await verifyFolder(join(cache, 'cifar-10-batches-bin'), { published })).official).toBe(true);
}

/** Expects nothing that a later run could mistake for images: only partial archives or, if `isVerified`, a complete one. */
function expectNoImages(isVerified = false): string[] {
  const files = tree(cache).filter((path) => path.includes('.'));
  const wanted = isVerified ? /^downloads\/\d+\/file\.tar\.gz$/ : /^downloads\/.*\.part(\.json)?$/;
  for (const file of files) expect(file).toMatch(wanted);
  return files;
}

describe('a download', () => {
  test('leaves the six files and nothing else, and reports its progress', async () => {
    const server = await serve();
    const folder = await download([sourceOf(server)]);
    expect(folder).toBe(join(cache, 'cifar-10-batches-bin'));
    await expectImages();
    expect(batchFile(0).equals(readFileSync(join(folder, NAMES[0])))).toBe(true);
    expect(JSON.parse(readFileSync(join(folder, 'source.json'), 'utf8'))).toEqual({
      source: server.url,
      files: published,
      images: { train: 50_000, test: 10_000 },
      official: true,
    });
    const { length: total } = archive;
    expect(events[0]).toEqual({ kind: 'started', url: server.url, total });
    expect(events[1]).toEqual({ kind: 'progress', received: 0, total });
    expect(eventsOf('progress').at(-1)).toEqual({ kind: 'progress', received: total, total });
    expect(events.slice(-2).map(({ kind }) => kind)).toEqual(['verifying', 'finished']);
  });

  test('of several files counts their bytes together, and resumes in the file where it stopped', async () => {
    const first = await serve();
    const second = await serve(Buffer.alloc(50_000, 'second'), 'second', first);
    const both = {
      ...sourceOf(first),
      files: [...sourceOf(first).files, { ...sourceOf(second, second.content).files[0], name: 'second' }],
    };
    second.fault = (n) => (n === 0 ? { cutAfter: 20_000 } : { answer: (_, response) => response.destroy() });
    expect(await rejection(download([both]))).toBeInstanceOf(DownloadError);
    second.fault = () => ({});
    events = [];
    await download([both]);
    await expectImages();
    const total = archive.length + 50_000;
    expect(events[0]).toEqual({ kind: 'started', url: first.url, total });
    expect(eventsOf('progress')[0]).toEqual({ kind: 'progress', received: archive.length + 20_000, total });
    expect(eventsOf('progress').at(-1)).toEqual({ kind: 'progress', received: total, total });
    expect(first.gets).toHaveLength(1);
  });

  test('abandons each source that fails, with its reason, until one provides the images', async () => {
    const answer = (listener: RequestListener) => ({ answer: listener });
    const webPage: RequestListener = (_, response) => response.setHeader('content-type', 'text/html').end('<p>');
    const faults = [
      { fault: answer((_, response) => response.writeHead(503).end()), reason: /HTTP status 503/ },
      { fault: answer(webPage), reason: /a web page/ },
      { fault: answer((_, response) => response.end('short')), reason: /the file has 5 bytes/ },
      { fault: answer((_, response) => response.writeHead(302, { location: '/' }).end()), reason: /it redirects more/ },
      { fault: answer((_, response) => response.destroy()), reason: /the connection failed/ },
      { fault: { stallAfter: 10_000 }, reason: /no data received for 0.3 s/ },
      { fault: {}, reason: /too slow: 100 kB\/s, wanted at least 500 kB\/s/ },
      { fault: { cutAfter: 10_000, ignoresRange: true }, reason: /the connection failed/ },
    ];
    const servers = await Promise.all([...faults, {}, {}].map(() => serve()));
    for (const [n, { fault }] of faults.entries()) servers[n].fault = () => fault;
    servers[8].content = Buffer.from(archive).fill(archive[99] ^ 1, 99, 100);
    const onEvent = useFakeClock(new Map([[servers[6], 100_000]]), servers[5], 10_000);
    const limits = { ...NO_LIMITS, idleTimeout: IDLE_MS, rateWindow: 100, minRate: 500_000 };
    await download(
      servers.map((server) => sourceOf(server)),
      { limits, onEvent },
    );
    await expectImages();
    const failed = eventsOf('source-failed');
    expect(failed.map(({ url }) => url)).toEqual(servers.slice(0, -1).map(({ url }) => url));
    expect(failed.map(({ next }) => next)).toEqual(servers.slice(1).map(({ url }) => url));
    for (const [n, { reason }] of faults.entries()) expect(failed[n].reason).toMatch(reason);
    expect(failed[8].reason).toMatch(/have SHA-256/);
  });

  test('retries the sources that were merely slow, the most complete first', async () => {
    const servers = await Promise.all([0, 1, 2].map(() => serve()));
    const rates = new Map([
      [servers[0], 100_000],
      [servers[1], 1_000_000],
    ]);
    servers[2].fault = () => ({ answer: (_, response) => response.writeHead(404).end() });
    const limits = { ...NO_LIMITS, rateWindow: 200, minRate: 5_000_000 };
    await download(
      servers.map((server) => sourceOf(server)),
      { limits, onEvent: useFakeClock(rates) },
    );
    await expectImages();
    expect(servers.map(({ gets }) => gets.length)).toEqual([1, 2, 1]);
    expect(servers[1].gets[1]).toHaveProperty('range');
    expect(eventsOf('source-failed').at(-1)).toMatchObject({ url: servers[2].url, next: servers[1].url });
  });

  test('that is already in progress is not started twice', async () => {
    const server = await serve();
    const { arrived } = server;
    server.arrived = (position) => position <= 0 || (eventsOf('waiting').length > 0 && arrived(position));
    const folders = await Promise.all([download([sourceOf(server)]), download([sourceOf(server)])]);
    expect(folders[0]).toBe(folders[1]);
    await expectImages();
    expect(server.gets).toHaveLength(1);
    expect(eventsOf('waiting')[0].holder).toContain(`process ${process.pid} on `);
    expect(eventsOf('finished')).toHaveLength(1);
  });

  test('that is stopped keeps its partial files, and resumes', async () => {
    const server = await serve();
    for (const kind of ['started', 'progress', 'verifying'] as const) {
      const controller = new AbortController();
      const reason = new Error('Ctrl-C');
      const onEvent = (event: DatasetEvent) => {
        if (event.kind === kind && !(event.kind === 'progress' && event.received === 0)) controller.abort(reason);
      };
      expect(await rejection(download([sourceOf(server)], { signal: controller.signal, onEvent }))).toBe(reason);
      expectNoImages(kind === 'verifying');
    }
    await download([sourceOf(server)]);
    await expectImages();
    expect(server.sent).toBeLessThan(1.2 * archive.length);
    expect(server.gets.length).toBeLessThanOrEqual(3);
  });
});

describe('images at a user-supplied URL', () => {
  test('must be the published ones unless they are trusted; then their hashes are recorded', async () => {
    const server = await FileServer.start(archive);
    const options = { published: { ...published, 'test_batch.bin': 'f'.repeat(64) } };
    const error = await rejection(download(customSources(server.url), options));
    expect(error).toBeInstanceOf(DataError);
    expect(error).not.toBeInstanceOf(DownloadError);
    expect(error.message).toMatch(
      `test_batch.bin in archive.tar.gz has SHA-256 ${published['test_batch.bin']}, wanted ffff`,
    );
    expect(error).toMatchObject({ message: expect.stringContaining('trust: true'), field: 'trust' });
    expect(expectNoImages()).toEqual([]);

    const folder = await download(customSources(server.url), { ...options, trust: true });
    expect(tree(cache)).toEqual(IMAGES);
    const { official, files } = await verifyFolder(folder, options);
    expect([official, files.every(({ ok }) => ok)]).toEqual([false, true]);
  });

  test('may be the Python archive, which is recognised by its contents', async () => {
    const entries = PYTHON_NAMES.map((name, n) => tarEntry(`cifar-10-batches-py/${name}`, pythonFile(batchFile(n))));
    const server = await FileServer.start(Buffer.concat([...entries, TAR_END]));
    await download(customSources(server.url));
    await expectImages();
  });

  test('must be an archive of images, and the URL valid', async () => {
    const server = await serve(Buffer.from('not an archive'));
    const error = await rejection(download(customSources(server.url)));
    expect(error).not.toBeInstanceOf(DownloadError);
    expect(error.message).toMatch(`${server.url}: archive.tar.gz looks like text; wanted an archive of CIFAR-10`);
    expect(expectNoImages()).toEqual([]);
    for (const url of ['ftp://example.com/', 'example.com', 'http://']) {
      const wrong = await rejection(Promise.resolve().then(() => download(customSources(url))));
      expect(wrong).toBeInstanceOf(UsageError);
      expect(wrong.message).toBe(`url must be a URL that begins with https:// or http://, got '${url}'`);
    }
  });
});

describe('a failure is one error that names every source, and leaves nothing that could be mistaken for images:', () => {
  test('no source provides the images', async () => {
    const servers = await Promise.all([0, 1].map(() => serve()));
    servers[0].fault = () => ({ answer: (_, response) => response.writeHead(503).end() });
    servers[1].fault = () => ({ cutAfter: 10_000, ignoresRange: true });
    const error = await rejection(download(servers.map((server) => sourceOf(server))));
    expect(error).toBeInstanceOf(DownloadError);
    expect(error.exitCode).toBe(3);
    expect(error.message).toMatch(/^all 2 sources failed: 127\.\S+: HTTP status 503 .*; 127\.\S+: the c/);
    expect(expectNoImages()).toHaveLength(2);
  });

  test('one source sends another file: that is damage, not a missing network', async () => {
    const servers = await Promise.all([0, 1].map(() => serve()));
    servers[0].content = Buffer.from(archive).fill(archive[99] ^ 1, 99, 100);
    servers[1].fault = () => ({ answer: (_, response) => response.writeHead(503).end() });
    const error = await rejection(download(servers.map((server) => sourceOf(server))));
    expect(error).toBeInstanceOf(DataError);
    expect(error).not.toBeInstanceOf(DownloadError);
    expect(error.message).toMatch(/have SHA-256 .* as path, or .* choice: 'synthetic'\.$/);
    expect(expectNoImages()).toEqual([]);
  });

  test('an archive has the right hash but wrong images', async () => {
    const wrong = Buffer.concat([tarEntry(NAMES[0], batchFile(0)), tarEntry(NAMES[1], batchFile(0).fill(10)), TAR_END]);
    const server = await serve(wrong);
    const error = await rejection(download([sourceOf(server, wrong)]));
    expect(error).not.toBeInstanceOf(DownloadError);
    expect(error.message).toMatch(/data_batch_2.bin in file.tar.gz is damaged: record 0 .* has label 10/);
    expect(expectNoImages()).toEqual([]);
  });

  test('the cache cannot be written: that is a disk error, not a network error', async () => {
    writeFileSync(cache, 'a file where the folder should be');
    const error = await rejection(download([sourceOf(await serve())]));
    expect(error).toBeInstanceOf(FileError);
    expect(error.exitCode).toBe(1);
    expect(error.message).toMatch(
      /^cannot store the images in .*nn-train: a part of the path is a file.*XDG_CACHE_HOME/,
    );
  });
});
