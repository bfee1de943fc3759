import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { runMain } from '../support/in-process.ts';

const SOURCE = path.resolve(import.meta.dirname, '../../src');

/** Every option of every command, as the help names it. */
async function everyOption(): Promise<Set<string>> {
  const found = new Set<string>();
  const visit = async (...command: string[]) => {
    const { stdout } = await runMain([...command, '--help']);
    for (const option of stdout.match(/--[a-z][\w-]*/g) ?? []) found.add(option);
    const list = stdout.split('\nCommands:\n')[1]?.split('\n\n')[0] ?? '';
    for (const [, name] of list.matchAll(/^ {2}([a-z]+)/gm)) {
      if (name !== 'help' && name !== 'train') await visit(...command, name);
    }
  };
  await visit();
  return found;
}

it('no text outside src/cli contains an option: messages name fields', async () => {
  const options = await everyOption();
  expect([...options]).toEqual(expect.arrayContaining(['--early-stop', '--trust', '--epochs']));

  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.startsWith(`cli${path.sep}`),
  );
  const found = files.flatMap((file) => {
    const names = readFileSync(path.join(SOURCE, file), 'utf8').match(/(?<![\w(-])--[a-z][\w-]*/g) ?? [];
    return names.filter((name) => options.has(name)).map((name) => `${file}: ${name}`);
  });
  expect(found).toEqual([]);
});
