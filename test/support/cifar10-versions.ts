import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { FILE_BYTES, NAMES } from './cifar10.ts';

const PATTERNS = 20;

/** One of 20 patterns, each of which changes if mirrored, rotated or with its channels swapped. */
function pattern(p: number): Buffer {
  return Buffer.from(Array.from({ length: 3072 }, (_, k) => (p * (k % 32) + 3 * (k >> 5) + 11 * p + (k % 7)) & 255));
}

/** Binary version of a file: record i of file n has label (i + n) mod 10 and pattern (i + 3n) mod 20. */
export function patternFile(n: number): Buffer {
  const patterns = Array.from({ length: PATTERNS }, (_, p) => pattern(p));
  const bytes = Buffer.alloc(FILE_BYTES);
  for (let i = 0; i < 10_000; i++) {
    bytes[i * 3_073] = (i + n) % 10;
    bytes.set(patterns[(i + 3 * n) % PATTERNS], i * 3_073 + 1);
  }
  return bytes;
}

/** Label and PNG of each record of a file, encoded by a different library from the one that decodes them. */
export function pngRecords(n: number): { label: number; png: Uint8Array }[] {
  const pngs = Array.from({ length: PATTERNS }, (_, p) => encodePlanes(pattern(p)));
  return Array.from({ length: 10_000 }, (_, i) => ({ label: (i + n) % 10, png: pngs[(i + 3 * n) % PATTERNS] }));
}

const CLASSES = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ');

/** Writes the first records of each file as pictures in class folders. They are numbered across classes, without leading
 *  zeros, so that their names restore their order. Links save space. */
export function writeClassFolders(folder: string, perFile: number): string {
  for (const split of ['train', 'test']) {
    for (const name of CLASSES) mkdirSync(join(folder, split, name), { recursive: true });
  }
  const written = new Map<Uint8Array, string>();
  for (let n = 0, number = 0; n < 6; n++) {
    for (const { label, png } of pngRecords(n).slice(0, perFile)) {
      const path = join(folder, n < 5 ? 'train' : 'test', CLASSES[label], `image${number++}.png`);
      const first = written.get(png);
      if (first) linkSync(first, path);
      else writeFileSync(path, png);
      if (!first) written.set(png, path);
    }
  }
  return folder;
}

function encodePlanes(planes: Uint8Array): Uint8Array {
  const data = Uint8Array.from(planes, (_, i) => planes[(i % 3) * 1024 + Math.floor(i / 3)]);
  return encode({ width: 32, height: 32, channels: 3, depth: 8, data });
}

export const PYTHON_NAMES = NAMES.map((name) => name.replace('.bin', ''));

/** Python version of a file, with the opcodes of cPickle (protocol 2) except those for the memo. */
export function pythonFile(
  binary: Uint8Array,
  { images = 10_000, columns = 3_072, labelsKey = 'labels' } = {},
): Buffer {
  const labels = Buffer.alloc(2 * images);
  const data = Buffer.alloc(images * columns);
  for (let i = 0; i < images; i++) {
    labels.set([0x4b, binary[i * 3_073]], 2 * i); // BININT1
    data.set(binary.subarray(i * 3_073 + 1, i * 3_073 + 1 + columns), i * columns);
  }
  return Buffer.concat([
    latin1('\x80\x02}('),
    text('data'),
    latin1('cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\x01b\x87R(K\x01'),
    short(images),
    short(columns),
    latin1('\x86cnumpy\ndtype\nU\x02u1K\0K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89T'),
    uint32(data.length),
    data,
    latin1('tb'),
    text(labelsKey),
    latin1(']('),
    labels,
    latin1('eu.'),
  ]);
}

export function latin1(characters: string): Buffer {
  return Buffer.from(characters, 'latin1');
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function text(characters: string): Buffer {
  return latin1(`U${String.fromCharCode(characters.length)}${characters}`);
}

function short(value: number): Buffer {
  return Buffer.from([0x4d, value & 255, value >> 8]);
}

/** Compares each batch of a source with the wanted bytes. Resolves to the results by file name. */
export async function compareBatches(
  batches: AsyncIterable<{ name: string; bytes: Uint8Array }>,
  wanted: (n: number) => Buffer = patternFile,
): Promise<Record<string, boolean>> {
  const results: Record<string, boolean> = {};
  for await (const { name, bytes } of batches) results[name] = wanted(NAMES.indexOf(name)).equals(bytes);
  return results;
}

export const ALL_EQUAL = Object.fromEntries(NAMES.map((name) => [name, true]));
