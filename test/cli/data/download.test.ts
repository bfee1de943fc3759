import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { batchEntries, batchFile, NAMES, TAR_END, tree } from '../../support/cifar10.ts';
import { OWN_NAME } from '../../support/cli.ts';
import { hasBytes } from '../../support/file-server.ts';
import { Home, serve } from './home.ts';

const ARCHIVE = Buffer.concat([...batchEntries(), TAR_END]);
let home: Home;

beforeEach(() => {
  home = new Home();
});

describe('data download', () => {
  it('accepts other images only with --trust, and does not download them again', async () => {
    const url = await serve((_, response) =>
      response.writeHead(200, { 'content-length': ARCHIVE.length }).end(ARCHIVE),
    );
    const refused = await home.data(['download', '--url', url]);
    expect([refused.code, refused.stdout]).toEqual([3, '']);
    expect(refused.stderr).toMatch(/^error: .*data_batch_1\.bin.*SHA-256.*--trust/m);
    expect(existsSync(home.cached)).toBe(false);

    const trusted = await home.data(['download', '--url', url, '--trust']);
    expect([trusted.code, trusted.stdout]).toEqual([0, `${home.cached}\n`]);
    expect(trusted.stderr).toContain(`downloading CIFAR-10 from ${url}`);
    for (const [n, name] of NAMES.entries()) {
      expect(batchFile(n).equals(readFileSync(path.join(home.cached, name)))).toBe(true);
    }
    const again = await home.data(['download', '--url', url, '--trust']);
    expect([again.code, again.stdout]).toEqual([0, `${home.cached}\n`]);
    expect(again.stderr).toMatch(/^already in the cache/);
  });

  it.each(['', '?token=secret'])(
    'keeps what was received on Ctrl-C, says how to resume, and resumes there; query %j',
    async (query) => {
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
      const args = ['download', '--url', url + query, '--trust'];
      const stopped = await home.data(args, {
        onStart: async (child) => {
          const hasHalf = (file: string) => file.endsWith('.part') && hasBytes(path.join(home.folder, file), half);
          while (child.exitCode === null && !tree(home.folder).some(hasHalf)) await sleep(10);
          child.kill('SIGINT');
        },
      });
      expect([stopped.code, stopped.stdout]).toEqual([130, '']);
      const done = await home.data(args);
      expect([done.code, done.stdout]).toEqual([0, `${home.cached}\n`]);
      expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=\d+-$/)]);
      const kept = Number.parseInt(ranges[1]!.slice('bytes='.length), 10);
      expect(kept).toBeGreaterThanOrEqual(half);
      const command = query === '' ? `${OWN_NAME} data download --url ${url} --trust` : 'the same command';
      expect(stopped.stderr).toContain(`stopped; ${(kept / 1e6).toFixed(1)} MB kept; resume with ${command}\n`);
      expect(stopped.stderr).not.toContain('secret');
      expect(batchFile(5).equals(readFileSync(path.join(home.cached, 'test_batch.bin')))).toBe(true);
    },
  );

  it('downloads again if a file was damaged since', async () => {
    const url = await serve((_, response) => response.end(ARCHIVE));
    await home.data(['download', '--url', url, '--trust']);
    // Pretend that these were the published images.
    const note = path.join(home.cached, 'source.json');
    writeFileSync(note, JSON.stringify({ ...JSON.parse(readFileSync(note, 'utf8')), official: true }));
    const file = path.join(home.cached, 'test_batch.bin');
    writeFileSync(file, readFileSync(file).fill(0, 5000, 5001));
    const { code, stdout, stderr } = await home.data(['download', '--url', url, '--trust']);
    expect([code, stdout]).toEqual([0, `${home.cached}\n`]);
    expect(stderr).toMatch(/^test_batch\.bin is damaged or missing; downloading again\ndownloading/);
    expect(batchFile(5).equals(readFileSync(file))).toBe(true);
  });

  it('suggests an import if the network fails', async () => {
    const url = await serve((_, response) => response.writeHead(503).end());
    const { code, stdout, stderr } = await home.data(['download'], { env: { NN_TRAIN_CIFAR10_URL: url } });
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/error: .*503.*; download .* on another machine and import it with .*\n$/);
    expect(stderr).toContain(` and import it with ${OWN_NAME} data import FILE\n`);
  });

  it('rejects a URL that is not http or https', async () => {
    const { code, stderr } = await home.data(['download', '--url', 'ftp://me:secret@example.org/x']);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^error: --url must be a URL that begins with https:\/\/ or http:\/\/, got 'ftp:\/\/example\.org\/x'/,
    );
  });
});
