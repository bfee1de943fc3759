import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Client } from '../../../src/dataset/download/client.ts';
import { downloadCifar10 } from '../../../src/dataset/download/download.ts';
import { TransferError } from '../../../src/dataset/download/failures.ts';
import { Proxies } from '../../../src/dataset/download/proxies.ts';
import { UsageError } from '../../../src/errors.ts';
import { rejection, scratchFolder } from '../../support/cifar10.ts';
import { FileServer, NO_LIMITS } from '../../support/file-server.ts';
import { startProxy, startSilence } from '../../support/proxy.ts';

const scratch = scratchFolder();
const TIMEOUT = NO_LIMITS.connectTimeout;
/** Its host has no address, so only a proxy can be asked for it. */
const HTTPS = 'https://host.invalid/file';

async function request(env: Record<string, string>, url: string) {
  const client = await Client.open(env, TIMEOUT);
  try {
    const response = await client.request(url, { timeout: TIMEOUT });
    return await response.text();
  } finally {
    await client.close();
  }
}

async function refusal(env: Record<string, string>, url: string): Promise<string> {
  const error = await rejection(request(env, url));
  expect(error).toBeInstanceOf(TransferError);
  return error.message;
}

describe('requests go through the proxy', () => {
  test('of the scheme; http is forwarded, since many proxies refuse a tunnel for it', async () => {
    const server = await FileServer.start(Buffer.from('the file'));
    const [forHttp, forHttps] = [await startProxy(), await startProxy(502)];
    const env = { HTTP_PROXY: `http://${forHttp.host}`, HTTPS_PROXY: `http://${forHttps.host}` };
    expect(await request(env, server.url)).toBe('the file');
    expect(forHttp.requests).toEqual([{ method: 'GET', target: server.url, authorization: undefined }]);
    await refusal(env, HTTPS);
    expect(forHttps.requests).toEqual([{ method: 'CONNECT', target: 'host.invalid:443', authorization: undefined }]);
  });

  test('also if its variable is in lower case and its address without a scheme, with its user and password', async () => {
    const server = await FileServer.start(Buffer.from('the file'));
    const proxy = await startProxy();
    const credentials = 'me:p%40ss:word';
    await request({ http_proxy: `${credentials}@${proxy.host}`, HTTP_PROXY: 'http://unused.invalid' }, server.url);
    const authorization = `Basic ${Buffer.from('me:p@ss:word').toString('base64')}`;
    expect(proxy.requests).toEqual([expect.objectContaining({ target: server.url, authorization })]);
    expect(server.gets[0]).not.toHaveProperty('proxy-authorization');
  });

  test.each([
    ['*', true],
    ['host.example.org', true],
    ['example.org', true],
    ['.example.org', true],
    ['*.example.org', true],
    ['localhost, EXAMPLE.org:8000', true],
    ['example.org:80', false],
    ['ample.org', false],
    ['', false],
  ])('unless NO_PROXY, here %j, names the host', (value, isDirect) => {
    const proxies = new Proxies({ HTTP_PROXY: 'http://proxy', NO_PROXY: value });
    expect(proxies.for(new URL('http://host.example.org:8000/')) === undefined).toBe(isDirect);
  });

  test('unless NO_PROXY has the address of the host', () => {
    const proxies = new Proxies({ HTTP_PROXY: 'http://proxy', no_proxy: '10.0.0.0/8,192.168.1.5,::1,fd00::/8' });
    const direct = ['10.1.2.3', '192.168.1.5', '[::1]', '[fd00::7]'];
    const others = ['11.0.0.1', '192.168.1.6', '[fe80::1]', 'host'];
    for (const host of direct) expect(proxies.for(new URL(`http://${host}/`))).toBe(undefined);
    for (const host of others) expect(proxies.for(new URL(`http://${host}/`))?.url).toBe('http://proxy');
  });
});

describe('a proxy that does not serve is named, without its password, if', () => {
  test.each(['ftp://me:secret@host', 'http://me:secret@', 'me:sec/ret@host:99999', 'socks5://me:secret@host'])(
    'its address is invalid: %s',
    async (address) => {
      for (const variable of ['HTTP_PROXY', 'https_proxy']) {
        const error = await rejection(Client.open({ [variable]: address }, TIMEOUT));
        expect(error).toBeInstanceOf(UsageError);
        expect(error.message).toMatch(new RegExp(`^${variable} must be the address of an HTTP proxy, .*, got '`));
        expect(error.message).not.toMatch('sec');
      }
    },
  );

  test('it refuses', async () => {
    for (const status of [407, 403]) {
      const { host } = await startProxy(status);
      const env = { HTTP_PROXY: `http://me:secret@${host}` };
      const refused = `${HTTPS}: the proxy http://${host} (HTTP_PROXY) refused with HTTP status ${status}`;
      expect(await refusal(env, HTTPS)).toBe(
        status === 407
          ? `${refused}: it wants a valid user and password, as in http://USER:PASSWORD@HOST:PORT`
          : refused,
      );
    }
    const { host } = await startProxy(407);
    expect(await refusal({ HTTP_PROXY: host }, 'http://host.invalid/')).toMatch(
      /^http:\/\/host.invalid\/: the proxy http:\S+ \(HTTP_PROXY\) refused with HTTP status 407: it wants/,
    );
  });

  test('it is closed', async () => {
    const closed = { HTTP_PROXY: 'http://me:secret@127.0.0.1:1' };
    for (const url of ['http://host.invalid/', HTTPS]) {
      expect(await refusal(closed, url)).toMatch(
        `${url}: through the proxy http://127.0.0.1:1 (HTTP_PROXY): the connection failed: connect ECONNREFUSED 127.0.0.1:1`,
      );
    }
  });

  test('it is silent; then no connection to it stays open, which would keep the process alive', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    for (const url of ['http://host.invalid/', HTTPS]) {
      const { host, connections } = await startSilence();
      const sources = [{ id: 'a', files: [{ name: 'file', url }] }];
      const env = { HTTP_PROXY: `http://me:secret@${host}` };
      const failed = rejection(downloadCifar10({ env, cacheFolder: join(scratch, 'cache'), sources }));
      while (connections() === 0) await new Promise(setImmediate);
      await vi.advanceTimersByTimeAsync(4000);
      expect((await failed).message).toBe(
        `${url}: through the proxy http://${host} (HTTP_PROXY): no data received for 4 s`,
      );
      await expect.poll(connections).toBe(0);
    }
  });
});
