import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { runMain } from '../support/in-process.ts';

const SOURCE = path.resolve(import.meta.dirname, '../../src');

/** Every option of every command, as the help names it. */
async function everyOption(): Promise<Set<string>> {
  const { stdout: help } = await runMain(['--help']);
  const commands = help
    .split('\nCommands:\n')[1]
    .split('\n\n')[0]
    .matchAll(/^ {2}([a-z]+)/gm);
  const pages = await Promise.all(Array.from(commands, ([, name]) => runMain([name, '--help'])));
  const texts = [help, ...pages.map(({ stdout }) => stdout)];
  return new Set(texts.flatMap((text) => text.match(/--[a-z][\w-]*/g) ?? []));
}

it('no text below the command line contains an option: messages name fields', async () => {
  const options = await everyOption();
  expect(options).toContain('--early-stop');
  expect(options).toContain('--trust');
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.startsWith(`cli${path.sep}`),
  );
  const found = files.flatMap((file) => {
    const names = readFileSync(path.join(SOURCE, file), 'utf8').match(/(?<![\w-])--[a-z][\w-]*/g) ?? [];
    return names.filter((name) => options.has(name)).map((name) => `${file}: ${name}`);
  });
  expect(found).toEqual([]);
});
