import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { DataError, FileError, UsageError } from '../src/errors.ts';
import {
  expectUsableName,
  fileError,
  fileErrorReason,
  makeFolder,
  move,
  namePart,
  writeFileAtomic,
} from '../src/files.ts';
import { onPlatform, refuseFolderSync, replaceCall, systemError } from './support/disk.ts';
import { temporaryFolder } from './support/files.ts';

// Waiting for another program takes no time in these tests.
vi.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() }));

const reasonOf = (work: Promise<unknown>) => work.then(() => 'done', fileErrorReason);

describe('an error of the file system', () => {
  it('is said in words, without the path that the caller names', async () => {
    const missing = await readFile('/nowhere').catch((error) => error);
    expect(fileErrorReason(missing)).toBe('no such file or folder');
    expect(fileErrorReason(systemError('ENOSPC', 'write'))).toBe('no space left on the device');
    expect(fileErrorReason(systemError('ELOOP', 'open'))).toBe('ELOOP: as in the test');
  });

  it.runIf(process.platform === 'linux')('is named where Node does not know its number', () => {
    const unnamed = (errno: number) =>
      Object.assign(systemError(`Unknown system error -${errno}`, `Unknown system error -${errno}`), { errno: -errno });
    expect(fileErrorReason(unnamed(122))).toBe('the disk quota is used up');
    expect(fileErrorReason(unnamed(116))).toBe('the server replaced the file; open it again');
    expect(fileErrorReason(unnamed(9_999))).toBe('the system reports error 9999');
  });

  it('becomes an error for the user, of the class that is wanted', () => {
    const cause = systemError('EACCES', 'open');
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

describe('a file that is replaced', () => {
  it.each(['EPERM', 'EINVAL', 'EISDIR'])('needs no sync of its folder (%s)', async (code) => {
    const file = path.join(temporaryFolder(), 'a');
    await refuseFolderSync(code);
    await writeFileAtomic(file, 'new');
    expect(readFileSync(file, 'utf8')).toBe('new');
  });

  it.each(['EPERM', 'EACCES', 'EBUSY'])('waits on Windows until a virus scanner has read it (%s)', async (code) => {
    const file = path.join(temporaryFolder(), 'a');
    onPlatform('win32');
    let refusals = 5;
    const wholly = rename;
    replaceCall('rename', async (from, to) => {
      if (refusals-- > 0) throw systemError(code, 'rename');
      return wholly(from, to);
    });
    await writeFileAtomic(file, 'new');
    expect(readFileSync(file, 'utf8')).toBe('new');
  });

  it('keeps its content if it stays open, and the message says so', async () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'a');
    writeFileSync(file, 'old');
    onPlatform('win32');
    replaceCall('rename', () => Promise.reject(systemError('EPERM', 'rename')));
    const message = `cannot write ${file}: another program keeps it open, or permission is denied`;
    await expect(writeFileAtomic(file, 'new')).rejects.toThrow(message);
    expect([readdirSync(folder), readFileSync(file, 'utf8')]).toEqual([['a'], 'old']);
  });

  it('is not waited for if it would replace a folder', async () => {
    const folder = temporaryFolder();
    onPlatform('win32');
    let calls = 0;
    replaceCall('rename', () => {
      calls++;
      return Promise.reject(systemError('EPERM', 'rename'));
    });
    await expect(writeFileAtomic(folder, '')).rejects.toThrow(`cannot write ${folder}: it is a folder`);
    expect(calls).toBe(1);
  });

  it('is not waited for where a refusal is final', async () => {
    onPlatform('linux');
    let calls = 0;
    replaceCall('rename', () => {
      calls++;
      return Promise.reject(systemError('EPERM', 'rename'));
    });
    await expect(move('a', 'b')).rejects.toThrow('EPERM');
    expect(calls).toBe(1);
  });
});

describe('a new folder', () => {
  it('gets the folders above it, and may exist', async () => {
    const folder = path.join(temporaryFolder(), 'a/b/c');
    await Promise.all([makeFolder(folder), makeFolder(folder), makeFolder(`${folder}/d`)]);
    await makeFolder(folder);
    expect(readdirSync(folder)).toEqual(['d']);
  });

  it('cannot be on a read-only disk, which is what the error says', async () => {
    const readOnly = temporaryFolder();
    // Linux: EROFS where the parent exists, else ENOENT.
    replaceCall('mkdir', (async (folder: string) => {
      if (existsSync(folder)) throw systemError('EEXIST', 'mkdir');
      throw systemError(existsSync(path.dirname(folder)) ? 'EROFS' : 'ENOENT', 'mkdir');
    }) as never);
    const reason = await reasonOf(makeFolder(path.join(readOnly, 'a/b/c')));
    expect(reason).toBe('the file system is read-only; choose another folder');
  });

  it.skipIf(!existsSync('/proc/self'))('cannot be in /proc, which ends with an error', async () => {
    const reason = 'no folder can be created there; choose another folder';
    expect(await reasonOf(makeFolder('/proc/nn-train'))).toBe(reason);
    expect(await reasonOf(makeFolder('/proc/nn-train/a/b'))).toBe(reason);
  });

  it('cannot be below a file or a link that leads nowhere', async () => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, 'file'), '');
    symlinkSync('nowhere', path.join(folder, 'link'));
    const reasons = ['file', 'file/a', 'link', 'link/a/b'].map((name) => reasonOf(makeFolder(path.join(folder, name))));
    const wanted = 'a part of the path is a file';
    expect(await Promise.all(reasons)).toEqual(reasons.map(() => expect.stringContaining(wanted)));
    expect(readdirSync(folder)).toEqual(['file', 'link']);
  });
});

describe('a name', () => {
  const names = String.raw`CON run\aux.txt C:\a\nul lpt1 com².log run. a.\b a<b run:1 C:\a?b`.split(' ');

  it.each([...names, 'run ', 'con .txt'])('that Windows reserves is refused there: %s', async (name) => {
    onPlatform('win32');
    expect(() => expectUsableName(name)).toThrow(UsageError);
    await expect(makeFolder(name)).rejects.toThrow(UsageError);
    await expect(writeFileAtomic(name, '')).rejects.toThrow(`Windows does not allow the name`);
    onPlatform('linux');
    expectUsableName(name);
  });

  it.each(
    String.raw`runs\mlp-1 C:\Users\Jörg\a.b C:a ..\..\a .\a \\?\C:\a \\server\share\a /a/b/ console common.txt .config`.split(
      ' ',
    ),
  )('that Windows allows is accepted: %s', (name) => {
    onPlatform('win32');
    expectUsableName(name);
  });
});

describe('a part of a name', () => {
  it.each([
    ['wide', 'wide'],
    ['lr 0.1, no decay', 'lr-0.1-no-decay'],
    ['a/b\\c:d*e?f"g<h>i|j', 'a-b-c-d-e-f-g-h-i-j'],
    ['..', ''],
    ['--resume.', 'resume'],
    ['größer ', 'größer'],
    ['e\u0301', '\u00e9'],
    ['\u6bd4\u8f83 2', '\u6bd4\u8f83-2'],
    ['\n$(rm -rf ~)\u202e', 'rm-rf'],
    ['\u{1f600}', ''],
  ])('of %j is %j', (text, part) => {
    expect(namePart(text)).toBe(part);
  });

  it('is short enough for every system, and has whole letters', () => {
    expect(namePart('a'.repeat(300))).toHaveLength(100);
    expect(namePart('\u{20000}'.repeat(30))).toBe('\u{20000}'.repeat(25));
  });
});
