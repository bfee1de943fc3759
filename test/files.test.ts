import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { DataError, FileError } from '../src/errors.ts';
import { fileError, fileErrorReason } from '../src/files.ts';

const systemError = (code: string, text: string) =>
  Object.assign(new Error(`${code}: ${text}, open '/a/b'`), { code, syscall: 'open' });

describe('an error of the file system', () => {
  it('is said in words, without the path that the caller names', async () => {
    const missing = await readFile('/nowhere').catch((error) => error);
    expect(fileErrorReason(missing)).toBe('no such file or folder');
    expect(fileErrorReason(systemError('ENOSPC', 'no space'))).toBe('no space left on the device');
    expect(fileErrorReason(systemError('ELOOP', 'too many links'))).toBe('ELOOP: too many links');
  });

  it('becomes an error for the user, of the class that is wanted', () => {
    const cause = systemError('EACCES', 'permission denied');
    const error = fileError('cannot write a', cause);
    expect(error).toEqual(new FileError('cannot write a: permission denied'));
    expect(error).toMatchObject({ cause, exitCode: 1 });
    expect(fileError('cannot read a', cause, DataError)).toBeInstanceOf(DataError);
  });
});

it('leaves other errors as they are', () => {
  const aborted = AbortSignal.abort().reason;
  for (const error of [new TypeError('a bug'), new DataError('damaged'), aborted]) {
    expect(fileErrorReason(error)).toBeUndefined();
    expect(fileError('cannot read a', error)).toBe(error);
  }
  expect(() => readFileSync('a\0b')).toThrow(expect.toSatisfy((error) => fileErrorReason(error) === undefined));
});
