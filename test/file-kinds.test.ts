import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { describeStart, kindOf } from '../src/file-kinds.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');

it.each([
  ['PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\0\0\0images.npy', 'is a NumPy archive (.npz)'],
  ['PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\0\0\0train/a.png', 'is a ZIP archive'],
  ["\x93NUMPY\x01\0v\0{'descr': '|u1'", 'is a NumPy array (.npy)'],
  ['BZh91AY&SY', 'is a bzip2 file'],
  ['\xfd7zXZ\0\0\x04', 'is an xz file'],
  ['\x28\xb5\x2f\xfd\x04\x58', 'is a Zstandard file'],
  ['7z\xbc\xaf\x27\x1c\0\x04', 'is a 7z archive'],
  ['Rar!\x1a\x07\x01\0', 'is a RAR archive'],
  ['MATLAB 5.0 MAT-file, Platform: PCWIN', 'is a MATLAB file (.mat)'],
  ['\x58\0\0\0\0\0\0\0{"__metadata__":{}}', 'is a safetensors file'],
  ['PAR1\x15\x04', 'is a Parquet file'],
  ['\x80\x02}q\x01(U\x04data', 'is a pickle'],
  ["(dp1\nS'data'\n", 'is a pickle'],
  ['\n\n<html lang="en"><title>Sign in</title>', 'is an HTML page'],
  ['\xef\xbb\xbf<!-- a --> <!doctype html>', 'is an HTML page'],
  ['<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>', 'is an XML document'],
  ['version https://git-lfs.github.com/spec/v1\noid sha256:4', 'is only a pointer of Git LFS to the file'],
])('recognises %j', (start, description) => {
  expect(describeStart(bytes(start))).toBe(description);
});

it('tells an archive and its compressed form from records of CIFAR-10', () => {
  // A header with a name and the sum of its bytes, of which 8 count as spaces; 'a' is 97.
  const header = Buffer.alloc(512);
  header.write('a');
  header.write((97 + 8 * 32).toString(8).padStart(6, '0'), 148);
  expect(kindOf(header)?.id).toBe('tar');
  expect(kindOf(gzipSync(header))?.id).toBe('gzip');
  header[300] = 1;
  expect(kindOf(header)).toBeUndefined();
  expect(describeStart(Buffer.alloc(3_073, 7))).toBe('has an unknown format: it begins with the bytes 07 07 07 07');
});
