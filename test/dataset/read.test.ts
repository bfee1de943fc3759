import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodeBatches } from '../../src/dataset/cifar10.ts';
import type { Source } from '../../src/dataset/locate.ts';
import { readSource } from '../../src/dataset/read.ts';
import { DataError } from '../../src/errors.ts';
import { NAMES, rejection, scratchFolder, TAR_END, tarEntry } from '../support/cifar10.ts';
import { PYTHON_NAMES, patternFile, pythonFile } from '../support/cifar10-versions.ts';

/** Records in each of the six files. */
const COUNTS = [3, 0, 12_000, 1, 1, 2];
const scratch = scratchFolder();
const binary = COUNTS.map((count, n) => Buffer.concat([patternFile(n), patternFile(n)]).subarray(0, count * 3073));
const python = binary.map((bytes, n) => pythonFile(bytes, { images: COUNTS[n] }));

function writeFolder(name: string, names: readonly string[], files: readonly Uint8Array[]): string {
  const folder = join(scratch, name);
  mkdirSync(folder);
  for (const [n, file] of files.entries()) writeFileSync(join(folder, names[n]), file);
  return folder;
}

function writeArchive(name: string, names: readonly string[], files: readonly Uint8Array[]): string {
  const path = join(scratch, name);
  writeFileSync(path, Buffer.concat([...files.map((file, n) => tarEntry(names[n], file)).reverse(), TAR_END]));
  return path;
}

test.each<Source>([
  { kind: 'folder', path: writeFolder('binary', NAMES, binary) },
  { kind: 'archive', path: writeArchive('binary.tar.gz', NAMES, binary) },
  { kind: 'python-folder', path: writeFolder('python', PYTHON_NAMES, python) },
  { kind: 'python-archive', path: writeArchive('python.tar.gz', PYTHON_NAMES, python) },
])('any number of images is read if trusted, and refused if not: $kind', async (source) => {
  const { train, test } = await decodeBatches(readSource(source, { trust: true }));
  const labels = (files: readonly Buffer[]) => Buffer.from(Buffer.concat(files).filter((_, i) => i % 3073 === 0));
  expect(labels(binary.slice(0, 5)).equals(train.labels)).toBe(true);
  expect(labels(binary.slice(5)).equals(test.labels)).toBe(true);
  const last = (bytes: Uint8Array) => Buffer.from(bytes.subarray(-3072));
  expect(last(train.images).equals(last(binary[4]))).toBe(true);
  expect(last(test.images).equals(last(binary[5]))).toBe(true);

  const error = await rejection(decodeBatches(readSource(source)));
  expect(error).toBeInstanceOf(DataError);
  expect(error.message).toMatch(/wanted .*10,000 .* To accept another number of images, add trust: true\.$/);
});
