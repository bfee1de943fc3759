import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addCommands } from '../../src/cli/commands.ts';
import { FIELD_LIST } from '../../src/config/config.ts';
import { blocksOf, type Page, proseOf, readPage, readPages, sectionOf } from '../support/markdown.ts';

const PROGRAM = new Command('nn-train').version('0');
addCommands(PROGRAM, [], process, () => {});

/** Every call of nn-train in the shell blocks and in the code spans of a page, as words. */
function callsOf(page: Page): string[][] {
  const shell = blocksOf(page, 'sh', 'console')
    .map(({ text }) => text.replace(/\\\n/g, ' '))
    .join('');
  const spans = [...proseOf(page).matchAll(/`([^`\n]+)`/g)].map(([, span]) => span);
  return [...shell.split('\n'), ...spans]
    .flatMap((line) => line.replace(/\s#.*$/, '').split(/&&|\||;|>/))
    .map((call) => call.match(/\bnn-train(?: .*)?$/)?.[0].match(/"[^"]*"|\S+/g) ?? [])
    .filter(([name]) => name === 'nn-train');
}

/** The options of a call that its command does not declare. A call without the name of a command trains. */
function unknownOptionsOf([, ...words]: readonly string[]): string[] {
  let command = PROGRAM;
  if (words[0]?.startsWith('-') && !['--help', '--version'].includes(words[0])) words.unshift('train');
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word);
    if (!next) break;
    command = next;
  }
  const end = words.indexOf('--');
  const given = (end < 0 ? words : words.slice(0, end)).filter((word) => /^--?[a-z]/.test(word));
  return given.filter(
    (option) => option !== '--help' && !command.options.some(({ short, long }) => option === short || option === long),
  );
}

const ALL_OPTIONS = allOptionsOf(PROGRAM);

function allOptionsOf(command: Command): string[] {
  return [
    ...command.options.map(({ long }) => long!),
    ...command.commands.flatMap(allOptionsOf),
    '--help',
    '--version',
  ];
}

describe('commands in the documentation', () => {
  it.each(readPages())('exist with their options: $path', (page) => {
    expect(callsOf(page).flatMap(unknownOptionsOf)).toEqual([]);
  });

  it('are found in the pages', () => {
    expect(callsOf(readPage('README.md')).length).toBeGreaterThan(10);
    expect(unknownOptionsOf(['nn-train', 'data', 'download', '--urls', 'x'])).toEqual(['--urls']);
  });

  it.each(readPages().filter((page) => page.path !== 'docs/benchmarks.md'))(
    'have every option that $path names',
    (page) => {
      const named = [...proseOf(page).matchAll(/`(--[a-z][a-z0-9-]*)[^`]*`/g)].map(([, option]) => option);
      expect(named.filter((option) => !ALL_OPTIONS.includes(option))).toEqual([]);
    },
  );

  it('have all their hyperparameters in the table of scripting.md', () => {
    const rows = sectionOf(readPage('docs/scripting.md'), 'Configuration')
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    const shown = rows.map((row) => row.split(' | ').map((cell) => cell.replace(/^\| |`/g, '')));
    const wanted = FIELD_LIST.map(([key, { choices, isSwitch }]) => {
      const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      const flags = isSwitch ? `${flag}, ${flag.replace('--', '--no-')}` : flag;
      return [key, flags, choices?.join(', ')];
    });
    expect(shown.map(([key, flags, values], i) => [key, flags, wanted[i]?.[2] && values])).toEqual(wanted);
  });
});
