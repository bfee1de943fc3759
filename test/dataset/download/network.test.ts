import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { downloadCifar10 } from '../../../src/dataset/download/download.ts';
import { DownloadError } from '../../../src/dataset/download/failures.ts';
import { rejection, scratchFolder, tree } from '../../support/cifar10.ts';

const cache = join(scratchFolder(), 'nn-train');

test('without a network, four sources fail as fast as one: all are contacted at once', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const asked: string[] = [];
  const silent = createServer(({ url }) => {
    asked.push(url!);
  });
  onTestFinished(() => silent.close().closeAllConnections());
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const paths = ['/0', '/1', '/2', '/3'];
  const sources = paths.map((path) => ({
    id: path,
    files: [{ name: 'file', url: `http://127.0.0.1:${port}${path}` }],
  }));
  const failed = rejection(downloadCifar10({ env: {}, cacheFolder: cache, sources }));
  while (asked.length < paths.length) await new Promise(setImmediate);
  await vi.advanceTimersByTimeAsync(5_000);
  const error = await failed;
  expect(error).toBeInstanceOf(DownloadError);
  // The host is named once because all sources share it.
  expect(error.message).toBe(`all 4 sources failed: 127.0.0.1:${port}: no data received for 4 s`);
  expect(asked.toSorted()).toEqual(paths);
  expect(() => tree(cache)).toThrow('ENOENT');
});
