import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Client } from '../../../src/dataset/download/client.ts';
import { TransferError } from '../../../src/dataset/download/failures.ts';
import { type Remote, type TransferOptions, transfer } from '../../../src/dataset/download/transfer.ts';
import { CERTIFICATE, KEY } from '../../support/certificate.ts';
import { rejection, scratchFolder } from '../../support/cifar10.ts';
import { FileServer, hasBytes, NO_LIMITS, sha256 } from '../../support/file-server.ts';

// More than 250 lines because resuming, restarting and failing share one server, one partial file and their checks.

const scratch = scratchFolder();
const CONTENT = randomBytes(300_000);
const BYTES = CONTENT.length;
const limits = { ...NO_LIMITS, minRate: 0 };
let path: string;
let client: Client;

beforeAll(async () => {
  client = await Client.open({}, NO_LIMITS.connectTimeout);
});

afterAll(() => client.close());

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
  return transfer(remote, path, { client, limits, ...rest });
}

async function refusal(promise: Promise<void>): Promise<TransferError> {
  const error = await rejection(promise);
  expect(error).toBeInstanceOf(TransferError);
  expect(existsSync(path)).toBe(false);
  return error as TransferError;
}

/** Lets time pass for a transfer only as a test says. */
function useFakeClock(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

/** Expects the complete file and no other in its folder. */
function expectComplete(): void {
  expect(readFileSync(path).equals(CONTENT)).toBe(true);
  expect(readdirSync(dirname(path))).toEqual([basename(path)]);
}

/** Leaves a partial file, as after a broken connection that cannot be reopened. */
async function leavePartial(server: FileServer, bytes: number): Promise<void> {
  path = join(mkdtempSync(join(scratch, 'partial-')), 'file');
  const requests = server.gets.length;
  server.fault = (n) => (n === requests ? { cutAfter: bytes } : { answer: (_, response) => response.destroy() });
  expect((await refusal(get(server))).kind).toBe('disconnected');
  expect(statSync(`${path}.part`).size).toBe(bytes);
  server.fault = () => ({});
}

test('a file is downloaded completely, and only once', async () => {
  const server = await serve();
  const progress: [number, number | undefined][] = [];
  await get(server, { bytes: BYTES, onProgress: (...args) => progress.push(args) });
  expectComplete();
  expect(server.gets[0]).toMatchObject({ 'accept-encoding': 'identity' });
  expect([progress[0], progress.at(-1)]).toEqual([
    [0, BYTES],
    [BYTES, BYTES],
  ]);
  expect(progress).toEqual(progress.toSorted(([a], [b]) => a - b));
  await get(server);
  expect(server.gets).toHaveLength(1);
});

describe('a download resumes', () => {
  test('after connections that break at any byte, and progress never goes backwards', async () => {
    const server = await serve();
    const cuts = fc.array(fc.integer({ min: 1, max: BYTES }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(cuts, async (lengths) => {
        path = join(mkdtempSync(join(scratch, 'cut-')), 'file');
        server.gets.length = 0;
        server.fault = (n) => (n < lengths.length ? { cutAfter: lengths[n] } : {});
        const progress: number[] = [];
        await get(server, { onProgress: (received) => progress.push(received) });
        expectComplete();
        expect(progress).toEqual(progress.toSorted((a, b) => a - b));
        const ranges = server.gets.slice(1).map(({ range }) => Number(/^bytes=(\d+)-$/.exec(range!)![1]));
        expect(progress).toEqual(expect.arrayContaining(ranges));
      }),
      { numRuns: 15, examples: [[[BYTES - 1]], [[1, 1, 1]]] },
    );
  });

  test('in a later run, which requests the rest with Range and If-Range', async () => {
    const server = await serve();
    await leavePartial(server, 100_000);
    await get(server);
    expectComplete();
    expect(server.gets.at(-1)).toMatchObject({ range: 'bytes=100000-', 'if-range': '"first"' });
    expect(server.sent).toBe(BYTES);
  });

  test('after Ctrl-C during the transfer, and at its last byte', async () => {
    const server = await serve();
    for (const at of [1, BYTES]) {
      const controller = new AbortController();
      const reason = new Error('Ctrl-C');
      const onProgress = (received: number) => received >= at && controller.abort(reason);
      expect(await rejection(get(server, { signal: controller.signal, onProgress }))).toBe(reason);
      expect(statSync(`${path}.part`).size).toBeGreaterThanOrEqual(at);
      expect(existsSync(path)).toBe(false);
    }
    const requests = server.gets.length;
    await get(server);
    expectComplete();
    expect(server.gets).toHaveLength(requests);
  });
});

describe('a download restarts', () => {
  test('if the server ignores Range', async () => {
    const server = await serve();
    await leavePartial(server, 100_000);
    server.fault = () => ({ ignoresRange: true });
    await get(server);
    expectComplete();
  });

  test('if the file changed in the meantime', async () => {
    const server = await serve(randomBytes(BYTES));
    await leavePartial(server, 100_000);
    [server.content, server.etag] = [CONTENT, '"second"'];
    await get(server);
    expectComplete();
  });

  test('if the server sends the rest of another version, or another part', async () => {
    for (const headers of [
      { etag: '"second"', 'content-range': `bytes 100000-${BYTES - 1}/${BYTES}` },
      { etag: '"first"', 'content-range': `bytes 100001-${BYTES - 1}/${BYTES}` },
      { etag: '"first"', 'content-range': `bytes 100000-${BYTES}/${BYTES + 1}` },
      { etag: '"first"' },
    ]) {
      const server = await serve();
      await leavePartial(server, 100_000);
      const requests = server.gets.length;
      const answer: RequestListener = (_, response) => response.writeHead(206, headers).end(CONTENT.subarray(100_000));
      server.fault = (n) => (n === requests ? { answer } : {});
      await get(server);
      expectComplete();
      expect(server.gets).toHaveLength(requests + 2);
    }
  });

  test('if the server responds 416, or the partial file is larger than the file', async () => {
    const server = await serve();
    await leavePartial(server, 100_000);
    const requests = server.gets.length;
    server.fault = (n) => (n === requests ? { answer: (_, response) => response.writeHead(416).end() } : {});
    await get(server);
    expectComplete();

    await leavePartial(server, 100_000);
    writeFileSync(`${path}.part`, randomBytes(BYTES + 1));
    await get(server);
    expect(server.gets.at(-1)).not.toHaveProperty('range');
    expectComplete();
  });

  test.each([
    ['were corrupted on disk', (file: string) => writeFileSync(`${file}.part`, Buffer.alloc(100_000))],
    ['come from another URL', (file: string) => writeFileSync(`${file}.part.json`, '{"url":"http://elsewhere"}')],
    ['have a truncated origin file', (file: string) => writeFileSync(`${file}.part.json`, '{"url":"ht')],
    ['have an origin file that is null', (file: string) => writeFileSync(`${file}.part.json`, 'null')],
    [
      'have an origin of the wrong types',
      (file: string) => {
        const origin = JSON.parse(readFileSync(`${file}.part.json`, 'utf8'));
        writeFileSync(`${file}.part.json`, JSON.stringify({ ...origin, validator: 5, total: '100000' }));
      },
    ],
  ])('if the partial bytes %s', async (_, corrupt) => {
    const server = await serve();
    await leavePartial(server, 100_000);
    corrupt(path);
    await get(server);
    expectComplete();
  });

  test('if there is neither a hash nor a validator to tell whether the file changed', async () => {
    const server = await serve();
    server.fault = (n) => ({ omitsHeaders: true, ...(n === 0 ? { cutAfter: 100_000 } : {}) });
    await transfer({ url: server.url }, path, { client, limits });
    expectComplete();
    expect(server.gets.map(({ range }) => range)).toEqual([undefined, undefined]);
  });
});

describe('a transfer fails', () => {
  test('if the server goes silent; the partial file is kept', async () => {
    useFakeClock();
    const impatient = { ...limits, idleTimeout: 300 };
    const server = await serve();
    server.fault = () => ({ stallAfter: 100_000 });
    const onProgress = (received: number) => {
      // Once the transfer waits for the next byte.
      if (received === 100_000) setImmediate(() => vi.advanceTimersByTime(300));
    };
    const error = await refusal(get(server, { limits: impatient, onProgress }));
    expect(error).toMatchObject({ kind: 'unavailable', url: server.url, reason: 'no data received for 0.3 s' });
    expect(error.message).toBe(`${server.url}: no data received for 0.3 s`);
    expect(statSync(`${path}.part`).size).toBe(100_000);
    server.fault = () => ({ answer: () => vi.advanceTimersByTime(300) });
    await refusal(get(server, { limits: impatient }));
    expect(statSync(`${path}.part`).size).toBe(100_000);
  });

  test('if the server is slow, unless there is no minimum rate; the partial file is kept', async () => {
    useFakeClock();
    const server = await serve();
    const impatient = { ...limits, rateWindow: 100, minRate: 4_000_000 };
    let before = 0;
    const onProgress = (received: number) => {
      // 400 kB/s
      vi.advanceTimersByTime(Math.max(0, received - before) / 400);
      before = received;
    };
    const error = await refusal(get(server, { limits: impatient, onProgress }));
    expect(error.kind).toBe('slow');
    expect(error.reason).toBe('too slow: 400 kB/s, wanted at least 4000 kB/s');
    expect(error.rate).toBeCloseTo(400_000, 0);
    expect(statSync(`${path}.part`).size).toBeLessThan(BYTES);
    await get(server, { limits: { ...impatient, minRate: 0 }, onProgress });
    expectComplete();
    expect(server.gets[1]).toHaveProperty('range');
  });

  const answers: [string, RequestListener, string | RegExp][] = [
    ['an error', (_, response) => response.writeHead(503).end(), 'HTTP status 503 Service Unavailable, wanted 200'],
    ['no content', (_, response) => response.writeHead(204).end(), 'HTTP status 204 No Content, wanted 200'],
    [
      'a web page',
      (_, response) => response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<html>'),
      /^received a web page \(text\/html; charset=utf-8\), wanted a file; if this network has a login page, log in/,
    ],
    [
      'a web page that says that it is a file',
      (_, response) => response.write('\n<!DOCTYPE html>\n<html>Log in', () => response.end()),
      /^received a web page \(<!DOCTYPE html>\), wanted a file; if this network has a login page/,
    ],
    [
      'a redirect to a file',
      (_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
      'it redirects to file:///etc/passwd, wanted an address with http or https',
    ],
    [
      'a file of another length',
      (_, response) => response.writeHead(200, { 'content-length': 15 }).end('not the archive'),
      'the file has 15 bytes, wanted 300,000',
    ],
    [
      'more than the file',
      (_, response) => response.write(CONTENT, () => response.end('more')),
      /^received 300,\d+ bytes, wanted 300,000$/,
    ],
    ['less than the file', (_, response) => response.end('short'), 'the file has 5 bytes, wanted 300,000'],
    [
      'less than the file, without its length',
      (_, response) => response.write('short', () => response.end()),
      'received 5 bytes, wanted 300,000',
    ],
    [
      'a compressed file',
      (_, response) => response.writeHead(200, { 'content-encoding': 'x-gzip' }).end(CONTENT),
      'received content encoding x-gzip, wanted none',
    ],
    [
      'circular redirects',
      (_, response) => response.writeHead(302, { location: '/file.tar.gz' }).end(),
      'it redirects more than 20 times',
    ],
    [
      'a closed connection',
      (_, response) => response.destroy(),
      /^the connection failed: (other side closed|.*ECONNRESET)$/,
    ],
  ];
  test.each(answers)('if the server responds with %s', async (_, answer, reason) => {
    const server = await serve();
    server.fault = () => ({ answer });
    const error = await refusal(get(server, { bytes: BYTES }));
    expect(error.reason).toMatch(reason);
    expect(error.kind).not.toBe('damaged');
    expect(existsSync(`${path}.part`)).toBe(false);
  });

  test('if the file is larger than CIFAR-10 can be, whether its length is known or not; nothing is kept', async () => {
    const server = await serve();
    for (const omitsHeaders of [false, true]) {
      server.fault = () => ({ omitsHeaders });
      const small = { ...limits, maxBytes: 100_000 };
      const { reason } = await refusal(transfer({ url: server.url }, path, { client, limits: small }));
      expect(reason).toMatch(
        omitsHeaders
          ? /^received 1\d\d,\d{3} bytes and more, wanted CIFAR-10, which has less than 100,000 bytes$/
          : 'the file has 300,000 bytes, wanted CIFAR-10, which has less than 100,000 bytes',
      );
      expect(existsSync(`${path}.part`)).toBe(false);
    }
  });

  test('if a redirect leads from https to http', async () => {
    const plain = await serve();
    const server = createServer({ key: KEY, cert: CERTIFICATE }, (_, response) =>
      response.writeHead(302, { location: `${plain.url}?token=secret` }).end(),
    );
    onTestFinished(() => server.close().closeAllConnections());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    // For this test only, the certificate is trusted.
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const { reason } = await refusal(get({ url }));
    expect(reason).toBe(`it redirects to ${plain.url}?…, wanted an address with https`);
    expect(plain.gets).toEqual([]);
  });

  test('if the connection always breaks at the same byte and the server ignores Range', async () => {
    const server = await serve();
    server.fault = () => ({ cutAfter: 100_000, ignoresRange: true });
    expect((await refusal(get(server))).reason).toMatch(/^the connection failed: /);
    expect(server.gets).toHaveLength(4);
  });

  test('if the file has the wrong hash; nothing is kept', async () => {
    const server = await serve(Buffer.from(CONTENT).fill(CONTENT[77] ^ 1, 77, 78));
    const error = await refusal(get(server));
    expect(error.kind).toBe('damaged');
    expect(error.reason).toBe(
      `the 300,000 bytes received have SHA-256 ${sha256(server.content)}, wanted ${sha256(CONTENT)}: ` +
        'corrupted in transit, or another file',
    );
    expect(readdirSync(dirname(path))).toEqual([]);
    expect(server.gets).toHaveLength(1);
  });

  test('if the server’s certificate is not trusted', async () => {
    const server = createServer({ key: KEY, cert: CERTIFICATE }, (_, response) => response.end(CONTENT));
    onTestFinished(() => server.close().closeAllConnections());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    expect((await refusal(get({ url }))).reason).toMatch(/^the connection failed: self-signed certificate/);
  });
});
