import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { PATIENCE, TransferError } from '../../../src/dataset/download/network.ts';
import { type Remote, type TransferOptions, transfer } from '../../../src/dataset/download/transfer.ts';
import { CERTIFICATE, KEY } from '../../support/certificate.ts';
import { rejection, scratchFolder } from '../../support/cifar10.ts';
import { FileServer, hasBytes, sha256 } from '../../support/file-server.ts';

const scratch = scratchFolder();
const CONTENT = randomBytes(300_000);
const BYTES = CONTENT.length;
const patience = { ...PATIENCE, pause: 1 };
let path: string;

beforeEach(() => {
  path = join(mkdtempSync(join(scratch, 'transfer-')), 'folder', 'file');
});

async function serve(content = CONTENT): Promise<FileServer> {
  const server = await FileServer.start(content);
  server.arrived = (position) => position <= 0 || hasBytes(`${path}.part`, position);
  return server;
}

function get(server: { url: string }, options: Partial<TransferOptions> & Partial<Remote> = {}): Promise<void> {
  const { bytes, sha256: hash = sha256(CONTENT), ...rest } = options;
  const remote = { url: server.url, sha256: hash, ...(bytes === undefined ? {} : { bytes }) };
  return transfer(remote, path, { patience, leastRate: 0, ...rest });
}

async function refusal(promise: Promise<void>): Promise<TransferError> {
  const error = await rejection(promise);
  expect(error).toBeInstanceOf(TransferError);
  expect(existsSync(path)).toBe(false);
  return error as TransferError;
}

/** There is the whole file, and nothing beside it. */
function expectWhole(): void {
  expect(readFileSync(path).equals(CONTENT)).toBe(true);
  expect(readdirSync(dirname(path))).toEqual([basename(path)]);
}

/** Leaves the first bytes, as a connection does that breaks and cannot be opened again. */
async function leavePartial(server: FileServer, bytes: number): Promise<void> {
  path = join(mkdtempSync(join(scratch, 'partial-')), 'file');
  const asked = server.gets.length;
  server.fault = (n) => (n === asked ? { cutAfter: bytes } : { answer: (_, response) => response.destroy() });
  expect((await refusal(get(server))).kind).toBe('cut');
  expect(statSync(`${path}.part`).size).toBe(bytes);
  server.fault = () => ({});
}

test('a file comes whole, once, and is not fetched again', async () => {
  const server = await serve();
  const progress: [number, number | undefined][] = [];
  await get(server, { bytes: BYTES, onProgress: (...now) => progress.push(now) });
  expectWhole();
  expect(server.gets[0]).toMatchObject({ 'accept-encoding': 'identity' });
  expect([progress[0], progress.at(-1)]).toEqual([
    [0, BYTES],
    [BYTES, BYTES],
  ]);
  expect(progress).toEqual(progress.toSorted(([a], [b]) => a - b));
  await get(server);
  expect(server.gets).toHaveLength(1);
});

describe('a download goes on', () => {
  test('after connections cut at any bytes, and never behind what it has', async () => {
    const server = await serve();
    const cuts = fc.array(fc.integer({ min: 1, max: BYTES }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(cuts, async (lengths) => {
        path = join(mkdtempSync(join(scratch, 'cut-')), 'file');
        server.gets.length = 0;
        server.fault = (n) => (n < lengths.length ? { cutAfter: lengths[n] } : {});
        const progress: number[] = [];
        await get(server, { onProgress: (received) => progress.push(received) });
        expectWhole();
        expect(progress).toEqual(progress.toSorted((a, b) => a - b));
        const ranges = server.gets.slice(1).map(({ range }) => Number(/^bytes=(\d+)-$/.exec(range!)![1]));
        expect(progress).toEqual(expect.arrayContaining(ranges));
      }),
      { numRuns: 15, examples: [[[BYTES - 1]], [[1, 1, 1]]] },
    );
  });

  test('in a later run: Range and If-Range ask for the rest', async () => {
    const server = await serve();
    await leavePartial(server, 100_000);
    await get(server);
    expectWhole();
    expect(server.gets.at(-1)).toMatchObject({ range: 'bytes=100000-', 'if-range': '"first"' });
    expect(server.sent).toBe(BYTES);
  });

  test('after Ctrl-C half way, and with the last byte', async () => {
    const server = await serve();
    for (const at of [1, BYTES]) {
      const controller = new AbortController();
      const reason = new Error('Ctrl-C');
      const onProgress = (received: number) => received >= at && controller.abort(reason);
      expect(await rejection(get(server, { signal: controller.signal, onProgress }))).toBe(reason);
      expect(statSync(`${path}.part`).size).toBeGreaterThanOrEqual(at);
      expect(existsSync(path)).toBe(false);
    }
    const asked = server.gets.length;
    await get(server);
    expectWhole();
    expect(server.gets).toHaveLength(asked);
  });
});

describe('a download begins again', () => {
  test('where the server ignores Range', async () => {
    const server = await serve();
    await leavePartial(server, 100_000);
    server.fault = () => ({ ignoresRange: true });
    await get(server);
    expectWhole();
  });

  test('where the file changed half way', async () => {
    const server = await serve(randomBytes(BYTES));
    await leavePartial(server, 100_000);
    [server.content, server.etag] = [CONTENT, '"second"'];
    await get(server);
    expectWhole();
  });

  test('where the server sends the rest of another version, or another part', async () => {
    for (const headers of [
      { etag: '"second"', 'content-range': `bytes 100000-${BYTES - 1}/${BYTES}` },
      { etag: '"first"', 'content-range': `bytes 100001-${BYTES - 1}/${BYTES}` },
      { etag: '"first"', 'content-range': `bytes 100000-${BYTES}/${BYTES + 1}` },
      { etag: '"first"' },
    ]) {
      const server = await serve();
      await leavePartial(server, 100_000);
      const asked = server.gets.length;
      const answer: RequestListener = (_, response) => response.writeHead(206, headers).end(CONTENT.subarray(100_000));
      server.fault = (n) => (n === asked ? { answer } : {});
      await get(server);
      expectWhole();
      expect(server.gets).toHaveLength(asked + 2);
    }
  });

  test('where the server says 416, or more is there than the file has', async () => {
    const server = await serve();
    await leavePartial(server, 100_000);
    const asked = server.gets.length;
    server.fault = (n) => (n === asked ? { answer: (_, response) => response.writeHead(416).end() } : {});
    await get(server);
    expectWhole();

    await leavePartial(server, 100_000);
    writeFileSync(`${path}.part`, randomBytes(BYTES + 1));
    await get(server);
    expect(server.gets.at(-1)).not.toHaveProperty('range');
    expectWhole();
  });

  test.each([
    ['were spoilt on the disk', (file: string) => writeFileSync(`${file}.part`, Buffer.alloc(100_000))],
    ['are of another address', (file: string) => writeFileSync(`${file}.part.json`, '{"url":"http://elsewhere"}')],
    ['are of nobody knows what', (file: string) => writeFileSync(`${file}.part.json`, '{"url":"ht')],
  ])('where the bytes that are there %s', async (_, spoil) => {
    const server = await serve();
    await leavePartial(server, 100_000);
    spoil(path);
    await get(server);
    expectWhole();
  });

  test('where neither a hash nor a version could tell that the rest belongs to the beginning', async () => {
    const server = await serve();
    server.fault = (n) => ({ tellsNothing: true, ...(n === 0 ? { cutAfter: 100_000 } : {}) });
    await transfer({ url: server.url }, path, { patience, leastRate: 0 });
    expectWhole();
    expect(server.gets.map(({ range }) => range)).toEqual([undefined, undefined]);
  });
});

describe('a server is left', () => {
  test('that is silent, and what has come is kept', async () => {
    const server = await serve();
    server.fault = () => ({ stallAfter: 100_000 });
    const error = await refusal(get(server, { patience: { ...patience, silence: 300 } }));
    expect(error).toMatchObject({ kind: 'refused', url: server.url, why: 'nothing came for 0.3 s' });
    expect(error.message).toBe(`${server.url}: nothing came for 0.3 s`);
    expect(statSync(`${path}.part`).size).toBe(100_000);
    server.fault = () => ({ answer: () => {} });
    await refusal(get(server, { patience: { ...patience, silence: 300 } }));
    expect(statSync(`${path}.part`).size).toBe(100_000);
  });

  test('that is slow, unless nothing better is asked; what has come is kept', async () => {
    const server = await serve();
    server.fault = () => ({ bytesPerSecond: 400_000 });
    const impatient = { ...patience, window: 100 };
    const error = await refusal(get(server, { patience: impatient, leastRate: 4_000_000 }));
    expect(error.kind).toBe('slow');
    expect(error.why).toMatch(/^it sends \d+ kB\/s, wanted at least 4000 kB\/s$/);
    expect(error.rate).toBeGreaterThan(0);
    expect(statSync(`${path}.part`).size).toBeLessThan(BYTES);
    await get(server, { patience: impatient });
    expectWhole();
    expect(server.gets[1]).toHaveProperty('range');
  });

  const answers: [string, RequestListener, string | RegExp][] = [
    ['an error', (_, response) => response.writeHead(503).end(), 'it answered 503 Service Unavailable, wanted 200'],
    ['no content', (_, response) => response.writeHead(204).end(), 'it answered 204 No Content, wanted 200'],
    [
      'a web page',
      (_, response) => response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<html>'),
      'it answered with a web page (text/html; charset=utf-8), wanted a file',
    ],
    [
      'a file of another length',
      (_, response) => response.writeHead(200, { 'content-length': 15 }).end('not the archive'),
      'its file has 15 bytes, wanted 300,000',
    ],
    [
      'more than the file',
      (_, response) => response.write(CONTENT, () => response.end('more')),
      /^it sent 300,\d+ bytes, wanted 300,000$/,
    ],
    ['less than the file', (_, response) => response.end('short'), 'its file has 5 bytes, wanted 300,000'],
    [
      'less than the file, of no known length',
      (_, response) => response.write('short', () => response.end()),
      'it sent 5 bytes, wanted 300,000',
    ],
    [
      'a compressed file',
      (_, response) => response.writeHead(200, { 'content-encoding': 'x-gzip' }).end(CONTENT),
      'it answered in the encoding x-gzip, wanted the file as it is',
    ],
    [
      'redirects in a circle',
      (_, response) => response.writeHead(302, { location: '/file.tar.gz' }).end(),
      'the connection failed: redirect count exceeded',
    ],
    [
      'a closed connection',
      (_, response) => response.destroy(),
      /^the connection failed: (other side closed|.*ECONNRESET)$/,
    ],
  ];
  test.each(answers)('that answers with %s', async (_, answer, why) => {
    const server = await serve();
    server.fault = () => ({ answer });
    const error = await refusal(get(server, { bytes: BYTES }));
    expect(error.why).toMatch(why);
    expect(error.kind).not.toBe('damaged');
    expect(existsSync(`${path}.part`)).toBe(false);
  });

  test('that always breaks off at the same byte and does not know Range', async () => {
    const server = await serve();
    server.fault = () => ({ cutAfter: 100_000, ignoresRange: true });
    expect((await refusal(get(server))).why).toMatch(/^the connection failed: /);
    expect(server.gets).toHaveLength(4);
  });

  test('whose file has the wrong hash, and nothing is kept', async () => {
    const server = await serve(Buffer.from(CONTENT).fill(CONTENT[77] ^ 1, 77, 78));
    const error = await refusal(get(server));
    expect(error.kind).toBe('damaged');
    expect(error.why).toBe(
      `the 300,000 bytes that came have the SHA-256 ${sha256(server.content)}, wanted ${sha256(CONTENT)}: ` +
        'damaged on the way, or another file',
    );
    expect(readdirSync(dirname(path))).toEqual([]);
    expect(server.gets).toHaveLength(1);
  });

  test('whose certificate cannot be trusted', async () => {
    const server = createServer({ key: KEY, cert: CERTIFICATE }, (_, response) => response.end(CONTENT));
    onTestFinished(() => server.close().closeAllConnections());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    expect((await refusal(get({ url }))).why).toMatch(/^the connection failed: self-signed certificate/);
  });
});
