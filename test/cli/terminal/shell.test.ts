import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { expandWildcards, shellWord } from '../../../src/cli/terminal/shell.ts';
import { onPlatform } from '../../support/disk.ts';
import { temporaryFolder } from '../../support/files.ts';

it.each([
  ['runs/mlp-20261124', 'runs/mlp-20261124'],
  ["a b's", "'a b'\\''s'"],
  ['C:\\a', "'C:\\a'"],
  ['', "''"],
])('a shell reads %s as one word', (word, wanted) => {
  onPlatform('linux');
  expect(shellWord(word)).toBe(wanted);
});

it.each([
  [String.raw`runs\mlp-20261124`, String.raw`runs\mlp-20261124`],
  [String.raw`C:\a`, String.raw`C:\a`],
  [String.raw`D:\Jörg's runs\1`, String.raw`"D:\Jörg's runs\1"`],
  // The backslash would otherwise escape the quote.
  ['D:\\my runs\\', '"D:\\my runs\\\\"'],
  // A list in PowerShell, a pipe and a variable in cmd.
  ['x=1,2', '"x=1,2"'],
  ['a&b', '"a&b"'],
  ['a^2', '"a^2"'],
  ['$data', "'$data'"],
  ['', '""'],
])('PowerShell and cmd read %s as one word', (word, wanted) => {
  onPlatform('win32');
  expect(shellWord(word)).toBe(wanted);
});

describe('wildcards', () => {
  function create(...folders: string[]): string {
    const folder = temporaryFolder();
    for (const name of folders) mkdirSync(path.join(folder, name), { recursive: true });
    return folder;
  }

  it('are expanded where the shell does not: on Windows', () => {
    const folder = create('runs/b.1/x', 'runs/a.2/x', 'runs/.c/x', 'runs/ab/x');
    const expand = (pattern: string) => expandWildcards(path.join(folder, pattern));
    const inFolder = (...names: string[]) => names.map((name) => path.join(folder, name));
    onPlatform('win32');
    expect(expand('runs/*')).toEqual(inFolder('runs/a.2', 'runs/ab', 'runs/b.1'));
    expect(expand('nowhere/*')).toEqual(inFolder('nowhere/*'));
    expect(expand('runs/?.?')).toEqual(inFolder('runs/a.2', 'runs/b.1'));
    expect(expand('r*/A*/x')).toEqual(inFolder('runs/a.2/x', 'runs/ab/x'));
    expect(expand('runs/(*')).toEqual(inFolder('runs/(*'));
    expect(expand('runs/a.2')).toEqual(inFolder('runs/a.2'));
    onPlatform('linux');
    expect(expand('runs/*')).toEqual(inFolder('runs/*'));
  });
});
