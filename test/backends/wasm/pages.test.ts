import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { claim, claimAt, countClaimed, isTouched, release } from '../../../src/backends/wasm/pages.ts';

const PAGES = createRequire(import.meta.url)
  .resolve('nn-train/package.json')
  .replace('package.json', 'dist/backends/wasm/pages.js');

describe('pages', () => {
  it('are claimed in a row, from the first that are free', () => {
    const table = new Uint8Array(10);
    expect([claim(table, 3), claim(table, 2), claim(table, 4)]).toEqual([0, 3, 5]);
    expect([claim(table, 2), claim(table, 1), claim(table, 1)]).toEqual([undefined, 9, undefined]);
    release(table, 3, 2);
    release(table, 6, 1);
    expect([claim(table, 3), claim(table, 2), countClaimed(table)]).toEqual([undefined, 3, 9]);
  });

  it('are claimed at a place only if all are free there, and left alone otherwise', () => {
    const table = new Uint8Array(10);
    expect([claimAt(table, 4, 2), claimAt(table, 2, 3), claimAt(table, 8, 3)]).toEqual([true, false, false]);
    expect(Array.from(table, (state) => state !== 0)).toEqual([...'0000110000'].map((bit) => bit === '1'));
  });

  it('are known to be zero until they are released', () => {
    const table = new Uint8Array(10);
    claim(table, 4);
    expect(isTouched(table, 2)).toBe(false);
    release(table, 0, 3);
    claim(table, 3);
    expect([2, 3, 4].map((page) => isTouched(table, page))).toEqual([true, false, false]);
  });

  it('belong to one thread at a time', async () => {
    const table = new Uint8Array(new SharedArrayBuffer(12));
    const owners = new Int32Array(new SharedArrayBuffer(4 * 12));
    const workers = [1, 2, 3].map((worker) => {
      const workerData = { pages: pathToFileURL(PAGES).href, table, owners, worker, rounds: 300_000 };
      const thread = new Worker(new URL('../../support/claim-pages.mjs', import.meta.url), { workerData });
      return new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject));
    });
    for (const counts of await Promise.all(workers)) {
      expect(counts).toEqual({ claims: expect.any(Number), taken: 0 });
      expect((counts as { claims: number }).claims).toBeGreaterThan(1000);
    }
    expect(countClaimed(table)).toBe(0);
  });
});
