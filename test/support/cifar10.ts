import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Header } from 'tar';
import { afterAll } from 'vitest';

// Defined here rather than imported, so that the tests notice if the program's definition of the format changes.
export const NAMES = [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`).concat('test_batch.bin');
export const FILE_BYTES = 10_000 * 3_073;

/** Contents of a file of 10,000 records: record i has label (i + n) mod 10, and every pixel is 20·n + label. */
export function batchFile(n: number): Buffer {
  const bytes = Buffer.alloc(FILE_BYTES);
  for (let i = 0; i < 10_000; i++) {
    const label = (i + n) % 10;
    bytes.fill(20 * n + label, i * 3_073 + 1, (i + 1) * 3_073);
    bytes[i * 3_073] = label;
  }
  return bytes;
}

/** Writes the six files; data_batch_1.bin has n = 0. */
export function writeBatchFiles(folder: string): string {
  mkdirSync(folder, { recursive: true });
  for (const [n, name] of NAMES.entries()) writeFileSync(join(folder, name), batchFile(n));
  return folder;
}

/** A compressed tar entry. Concatenated entries are a valid gzip file. */
export function tarEntry(
  path: string,
  body: Uint8Array = Buffer.alloc(0),
  header: { type?: 'SymbolicLink' | 'Link' | 'CharacterDevice'; linkpath?: string; size?: number } = {},
): Buffer {
  const block = Buffer.alloc(512);
  new Header({ path, mode: 0o644, size: body.length, type: 'File', ...header }).encode(block);
  return gzipSync(Buffer.concat([block, body, Buffer.alloc(-body.length & 511)]), { level: 1 });
}

export const TAR_END = gzipSync(Buffer.alloc(1024));

/** Tar entries of the six files. */
export function batchEntries(): Buffer[] {
  return NAMES.map((name, n) => tarEntry(`cifar-10-batches-bin/${name}`, batchFile(n)));
}

/** Creates a temporary folder that is removed after all tests of a file. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nn-train-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** All paths below a folder. */
export function tree(folder: string): string[] {
  return readdirSync(folder, { recursive: true }).map(String).sort();
}

/** Resolves to the error of a promise that is expected to reject. */
export function rejection(promise: Promise<unknown>): Promise<Error & { exitCode?: number }> {
  return promise.then(
    (value) => Promise.reject(new Error(`wanted a rejection, got ${value}`)),
    (error) => error,
  );
}

export async function drain(batches: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of batches);
}
