import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { batchEntries, batchFile, NAMES, scratchFolder, TAR_END, tarEntry, tree } from '../../support/cifar10.ts';
import { type SignalItself, signalItself } from '../../support/cli.ts';
import { FileServer, hasBytes, NO_LIMITS, sha256 } from '../../support/file-server.ts';

// Processes that download concurrently or are killed during a download.

const scratch = scratchFolder();
const SCRIPT = fileURLToPath(new URL('../../support/load-process.mjs', import.meta.url));
const LOAD = new URL('../../../dist/dataset/load.js', import.meta.url).href;
const published: Record<string, string> = {};
let archive: Buffer;
let cwd: string;

beforeAll(() => {
  // Padding, because the test images compress far better than real ones.
  archive = Buffer.concat([tarEntry('padding', randomBytes(8_000_000)), ...batchEntries(), TAR_END]);
  for (const [n, name] of NAMES.entries()) published[name] = sha256(batchFile(n));
});

interface Line {
  readonly kind: string;
  readonly sha256?: string;
}

interface Loading {
  readonly child: ChildProcess;
  /** Output so far. */
  output(): string;
  /** Output lines, once the process has ended. */
  readonly lines: Promise<Line[]>;
}

function startLoading({ url }: FileServer, signalAt?: SignalItself): Loading {
  const files = [{ name: 'file.tar.gz', url, bytes: archive.length, sha256: sha256(archive) }];
  const env = { XDG_CACHE_HOME: join(cwd, 'cache'), KERAS_HOME: cwd };
  const download = { sources: [{ id: 'test', kind: 'archive', files }], published, limits: NO_LIMITS };
  const options = JSON.stringify({ choice: 'cifar10', cwd, env, download });
  const signalling = signalItself(signalAt);
  const child = spawn(process.execPath, [...signalling.execArgv, SCRIPT, LOAD, options], {
    env: { ...process.env, ...signalling.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const lines = new Promise<Line[]>((resolve) => {
    child.on('close', () =>
      resolve(
        output
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line)),
      ),
    );
  });
  return { child, output: () => output, lines };
}

test('a download that is killed twenty times resumes each time', async () => {
  cwd = mkdtempSync(join(scratch, 'killed-'));
  const server = await FileServer.start(archive);
  const partial = join(cwd, 'cache', 'nn-train', 'downloads', 'test', 'file.tar.gz.part');
  server.arrived = (position) => position <= 0 || hasBytes(partial, position);
  for (let kills = 0; kills < 20; kills++) {
    const { child, lines } = startLoading(server);
    // Killed at a random byte. The expected result does not depend on which.
    const end = Math.random() * 0.04 * archive.length;
    server.onSent = (body) => body >= end && child.kill('SIGKILL');
    await lines;
    expect(child.signalCode).toBe('SIGKILL');
    expect(tree(cwd)).not.toContain(join('cache', 'nn-train', 'cifar-10-batches-bin'));
  }
  server.onSent = () => {};
  const last = await startLoading(server).lines;
  expect(last.map(({ kind }) => kind)).toEqual(['started', 'verifying', 'finished', 'loaded']);
  expect(server.gets.slice(1).filter(({ range }) => range).length).toBeGreaterThan(10);
  expect(server.sent).toBeLessThan(1.2 * archive.length);
  expect(tree(join(cwd, 'cache', 'nn-train'))).toHaveLength(8);
});

test('a process killed while verifying or storing need not download again', async () => {
  cwd = mkdtempSync(join(scratch, 'stored-'));
  const server = await FileServer.start(archive);
  // At once, and before changes to the disk: the first ones verify, the others store the six files.
  for (const operation of [0, 1, 4, 8, 12]) {
    const { child, lines } = startLoading(server, { signal: 'SIGKILL', text: 'verifying', operation });
    await lines;
    expect(child.signalCode).toBe('SIGKILL');
  }
  const last = await startLoading(server).lines;
  expect(last.at(-1)!.kind).toBe('loaded');
  expect(server.gets).toHaveLength(1);
  expect(tree(join(cwd, 'cache', 'nn-train'))).toHaveLength(8);
});

test('of ten concurrent processes, one downloads and all load', async () => {
  cwd = mkdtempSync(join(scratch, 'ten-'));
  const server = await FileServer.start(archive);
  const loadings = Array.from({ length: 10 }, () => startLoading(server));
  server.arrived = (position) => position <= 0 || loadings.some(({ output }) => output().includes('waiting'));
  const all = await Promise.all(loadings.map(({ lines }) => lines));
  expect(new Set(all.map((lines) => lines.at(-1)!.sha256)).size).toBe(1);
  expect(all.map((lines) => lines.at(-1)!.kind)).toEqual(new Array(10).fill('loaded'));
  expect(all.filter((lines) => lines.some(({ kind }) => kind === 'started'))).toHaveLength(1);
  expect(all.filter((lines) => lines.some(({ kind }) => kind === 'waiting')).length).toBeGreaterThan(0);
  expect(server.gets).toHaveLength(1);
});
