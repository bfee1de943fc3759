import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { basicAuthorization, shownUrl } from '../../../src/dataset/download/address.ts';
import { Client } from '../../../src/dataset/download/client.ts';
import { type DatasetEvent, downloadCifar10 } from '../../../src/dataset/download/download.ts';
import { selectSources } from '../../../src/dataset/download/sources.ts';
import { batchEntries, rejection, scratchFolder, TAR_END, tree } from '../../support/cifar10.ts';
import { FileServer, hasBytes, NO_LIMITS } from '../../support/file-server.ts';

const scratch = scratchFolder();
const ARCHIVE = Buffer.concat([...batchEntries(), TAR_END]);
let cache: string;
let events: DatasetEvent[];

beforeEach(() => {
  cache = mkdtempSync(join(scratch, 'home-'));
  events = [];
});

function download(url: string): Promise<string> {
  const sources = selectSources({}, url);
  const onEvent = (event: DatasetEvent) => events.push(event);
  return downloadCifar10({ env: {}, cacheFolder: cache, sources, trust: true, limits: NO_LIMITS, onEvent });
}

/** The address of a server with a user, a password and a signature. */
function withSecrets({ url }: FileServer, signature = 'secret'): string {
  return `${url.replace('http://', 'http://me:secret@')}?X-Amz-Signature=${signature}`;
}

test.each([
  ['https://example.org/a.tar.gz', 'https://example.org/a.tar.gz'],
  ['https://example.org/@me/a.tar.gz', 'https://example.org/@me/a.tar.gz'],
  ['https://me:secret@example.org/a', 'https://example.org/a'],
  ['https://secret@example.org/a', 'https://example.org/a'],
  ['https://example.org/a?token=secret', 'https://example.org/a?…'],
  ['https://me:se%20cret@example.org:8000/a?sv=1&sig=secret#secret', 'https://example.org:8000/a?…'],
  ['ftp://me:secret@example.org/a', 'ftp://example.org/a'],
  ['http://me:sec/ret@example.org/a?token=secret', 'http://example.org/a?…'],
  ['me:secret@example.org/a#secret', 'example.org/a?…'],
])('%s is shown as %s', (url, shown) => {
  expect(shownUrl(url)).toBe(shown);
});

test('a user and a password become a header, whatever characters they have', () => {
  const header = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  expect(basicAuthorization(new URL('http://me:a%3Ab%C3%A9@host'))).toBe(header('me:a:bé'));
  expect(basicAuthorization(new URL('http://100%:@host'))).toBe(header('100%:'));
  expect(basicAuthorization(new URL('http://host'))).toBe(undefined);
});

test('redirects carry them to the same host only', async () => {
  const [first, second] = [await FileServer.start(ARCHIVE), await FileServer.start(ARCHIVE)];
  const locations = ['/second', second.url];
  first.fault = (n) => ({ answer: (_, response) => response.writeHead(302, { location: locations[n] }).end() });
  const client = await Client.open({}, NO_LIMITS.connectTimeout);
  const response = await client.request(withSecrets(first), { timeout: NO_LIMITS.connectTimeout });
  await response.body?.cancel();
  await client.close();
  const sent = `Basic ${Buffer.from('me:secret').toString('base64')}`;
  expect(first.gets.map(({ authorization }) => authorization)).toEqual([sent, sent]);
  expect(second.gets.map(({ authorization }) => authorization)).toEqual([undefined]);
});

describe('no secret of an address is', () => {
  test('in the cache, the events or the error', async () => {
    const server = await FileServer.start(ARCHIVE);
    server.fault = () => ({ cutAfter: 10_000, ignoresRange: true });
    const error = await rejection(download(withSecrets(server)));
    expect(error.message).toMatch(`${server.url}?…: the connection failed`);
    expect(error.stack).not.toContain('secret');
    const partial = tree(cache).filter((path) => /\.part/.test(path));
    expect(partial).toHaveLength(2);
    for (const path of partial) expect(readFileSync(join(cache, path), 'latin1')).not.toContain('secret');

    server.fault = () => ({});
    const folder = await download(withSecrets(server));
    expect(JSON.parse(readFileSync(join(folder, 'source.json'), 'utf8')).source).toBe(`${server.url}?…`);
    expect(JSON.stringify(events)).toContain(server.url);
    expect(JSON.stringify(events)).not.toContain('secret');
  });

  test('needed to resume: the next signature continues the file, unless the server says that it is another', async () => {
    for (const etag of ['"first"', '"second"']) {
      cache = mkdtempSync(join(scratch, 'resumed-'));
      const server = await FileServer.start(ARCHIVE);
      const [file] = selectSources({}, withSecrets(server))!;
      server.arrived = (position) => hasBytes(join(cache, 'downloads', file.id, 'archive.tar.gz.part'), position);
      server.fault = (n) => (n === 0 ? { cutAfter: 10_000 } : { answer: (_, response) => response.destroy() });
      await rejection(download(withSecrets(server)));
      server.fault = () => ({});
      server.etag = etag;
      await download(withSecrets(server, 'another'));
      expect(server.gets.at(-1)).toHaveProperty('range', 'bytes=10000-');
      expect(server.sent).toBe(etag === '"first"' ? ARCHIVE.length : ARCHIVE.length + 10_000);
    }
  });
});
