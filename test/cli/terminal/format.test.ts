import { expect, it } from 'vitest';
import { shellWord } from '../../../src/cli/terminal/format.ts';
import { onPlatform } from '../../support/disk.ts';

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
