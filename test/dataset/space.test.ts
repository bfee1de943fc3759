import { mkdtempSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { downloadCifar10 } from '../../src/dataset/download/download.ts';
import { readSource } from '../../src/dataset/read.ts';
import { storeBatches } from '../../src/dataset/store.ts';
import { FileError } from '../../src/errors.ts';
import { batchEntries, rejection, scratchFolder, TAR_END, tree } from '../support/cifar10.ts';
import { FileServer, NO_LIMITS } from '../support/file-server.ts';

vi.mock('node:fs/promises', async (original) => ({ ...(await original<object>()), statfs: vi.fn() }));

const scratch = scratchFolder();
const ARCHIVE = Buffer.concat([...batchEntries(), TAR_END]);
let cache: string;

beforeEach(() => {
  cache = mkdtempSync(join(scratch, 'home-'));
});

/** Every disk has this many bytes free. */
function setFree(bytes: number, blocks = 1e6): void {
  vi.mocked(statfs).mockResolvedValue({ bavail: bytes, bsize: 1, blocks } as never);
}

async function download() {
  const { url } = await FileServer.start(ARCHIVE);
  const sources = [{ id: 'a', files: [{ name: 'file.tar.gz', url, bytes: ARCHIVE.length }] }];
  return downloadCifar10({ env: {}, cacheFolder: cache, sources, trust: true, limits: NO_LIMITS });
}

test('a download is refused before it fills the disk', async () => {
  const needed = ARCHIVE.length + 184_380_000;
  setFree(needed - 1);
  const error = await rejection(download());
  expect(error).toBeInstanceOf(FileError);
  expect(error.message).toMatch(
    /^cannot store the images in .*: 18\d\.\d MB are needed, and 18\d\.\d MB are free; free some/,
  );
  expect(tree(cache).filter((path) => path.includes('.part'))).toEqual([]);
  setFree(needed);
  await download();
});

test('so is an import', async () => {
  setFree(184_379_999);
  const folder = join(cache, 'cifar-10-batches-bin');
  const batches = readSource({ kind: 'archive', path: join(cache, 'none') }, undefined);
  const error = await rejection(storeBatches({ folder, batches, source: 'a' }));
  expect(error).toBeInstanceOf(FileError);
  expect(error.message).toBe(
    `cannot store the images in ${cache}: 184.4 MB are needed, and 184.4 MB are free; free some space, or choose another folder with XDG_CACHE_HOME`,
  );
});

test('unless the free space is not known', async () => {
  setFree(0, 0);
  await download();
  vi.mocked(statfs).mockRejectedValue(Object.assign(new Error('not implemented'), { code: 'ENOSYS' }));
  cache = mkdtempSync(join(scratch, 'home-'));
  await download();
});
