import { expect, it } from 'vitest';
import { reflow } from '../../../src/cli/terminal/help.ts';

const TEXT = `
A paragraph that is wrapped anew
whatever its lines were.

  short  description of a term
         that goes on
  a longer term  description, < 1
Examples:
  $ command --that "is left as it is, however long"`.trim();

it('wraps paragraphs and descriptions, and leaves commands', () => {
  expect(reflow(TEXT, 30)).toEqual([
    'A paragraph that is wrapped',
    'anew whatever its lines were.',
    '',
    '  short',
    '      description of a term',
    '      that goes on',
    '  a longer term',
    '      description, < 1',
    'Examples:',
    '  $ command --that "is left as it is, however long"',
  ]);
  expect(reflow(TEXT, 50).slice(0, 4)).toEqual([
    'A paragraph that is wrapped anew whatever its',
    'lines were.',
    '',
    '  short  description of a term that goes on',
  ]);
});

it('does not part a sign from its number', () => {
  expect(reflow('a share of all steps, < 1', 23)).toEqual(['a share of all steps,', '< 1']);
});
