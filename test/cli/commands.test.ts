import { describe, expect, it } from 'vitest';
import { FIELD_LIST } from '../../src/config/config.ts';
import { runMain } from '../support/in-process.ts';

const NAMES = [
  'explain',
  'gradcheck',
  'doctor',
  'runs',
  'eval',
  'report',
  'predict',
  'weights',
  'export',
  'sweep',
  'worker',
  'data',
  'bench',
  'help',
];
const ALL = [
  ['train'],
  ...NAMES.map((name) => [name]),
  ...['download', 'verify', 'info', 'import', 'path'].map((name) => ['data', name]),
];

async function help(args: readonly string[], columns?: number): Promise<string> {
  const { code, stdout, stderr } = await runMain(args, {}, columns);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

describe('help', () => {
  it('is the same with --help as with the command help', async () => {
    expect(await help(['help'])).toBe(await help(['--help']));
    expect(await help(['help', 'eval'])).toBe(await help(['eval', '--help']));
    expect(await help(['help', 'data', 'download'])).toBe(await help(['data', 'download', '--help']));
    expect(await help(['data', 'help', 'info'])).toBe(await help(['data', 'info', '--help']));
  });

  it('lists every command, train first', async () => {
    const [, commands] = (await help(['--help'])).match(/^Commands:\n([\s\S]*?)\n\n/m)!;
    expect(commands.match(/^ {2}\w+/gm)!.map((name) => name.trim())).toEqual(['train', ...NAMES]);
  });

  it.each(ALL)('of %s %s has examples, and defaults of what takes a value', async (...names) => {
    const text = await help(['help', ...names.filter((name) => name !== undefined)]);
    expect(text).toMatch(/^Examples:\n {2}\$ /m);
    const items = text.split(/\n(?= {0,2}\S)/).filter((item) => /^ {2}--\S+ [<[]/.test(item));
    if (names[0] === 'train') expect(items.length).toBeGreaterThan(25);
    const needsNoDefault = /^ {2}--(svg|html|png|csv|config|log|resume|init-from|url|sample) /;
    for (const item of items) if (!needsNoDefault.test(item)) expect(item).toMatch(/\(default/);
  });

  it.each([40, 60, 80, 200])('fits a terminal of %i columns, and uses it', async (columns) => {
    for (const names of [[], ...ALL]) {
      const lines = (await help([...names, '--help'], columns)).split('\n');
      const breakable = lines.filter((line) => !/^( {2}\$|Usage:| {7}nn-train)/.test(line));
      for (const line of breakable) expect(line.length, line).toBeLessThanOrEqual(columns);
    }
    const longest = Math.max(...(await help(['--help'], columns)).split('\n').map((line) => line.length));
    expect(longest).toBeGreaterThan(0.9 * columns);
  });

  it.each([['gradcheck'], ['doctor'], ['explain']])(
    'of %s shows its own options, and names those of training',
    async (name) => {
      const text = await help([name, '--help']);
      expect(text).toMatch(/\nOptions:\n[\s\S]* --json [\s\S]*\nModel:\n {2}--model [^\n]*\n[^\n]*\n\n/);
      const unlisted = FIELD_LIST.filter(([key]) => key !== 'model');
      for (const [key] of unlisted) expect(text).not.toMatch(new RegExp(`^ {2}--(no-)?${key}\\b`, 'm'));
      expect(text.replace(/\s+/g, ' ')).toContain(
        'option too, such as --hidden or --dropout: see nn-train train --help.',
      );
    },
  );
});

describe('train', () => {
  const config = async (...args: string[]) => JSON.parse(await help([...args, '--print-config']));

  it('is what runs without the name of a command', async () => {
    const wanted = await config('--model', 'mlp', '--lr', '0.2');
    expect(wanted).toMatchObject({ model: 'mlp', lr: 0.2 });
    expect(await config('train', '--model', 'mlp', '--lr', '0.2')).toEqual(wanted);
    expect(await config('--model', 'mlp', 'train', '--lr', '0.2')).toEqual(wanted);
    expect(await config('train')).toEqual(await config());
  });

  it('has the options of training in its help, as the program has', async () => {
    for (const text of [await help(['train', '--help']), await help(['--help'])]) {
      expect(text).toMatch(/^ {2}--model <name> /m);
      expect(text).toMatch(/^ {2}--resume <run> /m);
      expect(text).toContain('Exit codes: 0 done');
    }
  });
});
