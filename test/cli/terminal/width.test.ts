import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../../support/cifar10.ts';
import { QUICK } from '../../support/cli.ts';
import { runMain } from '../../support/in-process.ts';
import { onSmallCifar10 } from '../../support/small-cifar10.ts';

const SMALL = onSmallCifar10(scratchFolder());
const NETWORK = ['--model', 'mlp', '--hidden', '3', '--dataset', 'synthetic'];

/** Commands with the widest output of their kind, beside gradcheck. */
const COMMANDS: readonly (readonly string[])[] = [
  [...QUICK, '--model', 'mlp', '--epochs', '2', '--no-save', '--no-progress'],
  ['doctor', ...QUICK, '--epochs', '1', '--threads', '1', '--quiet'],
  ['explain'],
  ['explain', '--list'],
  ['explain', 'product'],
  ['explain', 'staged'],
  ['explain', 'jacobian'],
  ['explain', 'norm2(W*x)', 'W=[[0.1,0.5],[-0.3,0.8]]', 'x=[0.2,0.4]'],
  ['explain', ...NETWORK],
];

const expectToFit = (text: string, width: number) => {
  for (const line of stripVTControlCharacters(text).split('\n')) {
    // A command can only be copied whole.
    if (!line.startsWith('  nn-train ')) expect(line.length, line).toBeLessThanOrEqual(width);
  }
};

/** What is left of a terminal's line by each control sequence. */
const pieces = (text: string) =>
  text.split(new RegExp(`${String.fromCharCode(27)}(?:7|8|\\[[\\d;?]*[a-zA-Z])|\\r|\\n`));

describe.each([40, 60, 80, 120])('a terminal of %i columns', (width) => {
  it('has room for the bar of a run, with the time left', async () => {
    const args = [...SMALL, '--model', 'mlp', '--hidden', '8', '--epochs', '1', '--no-save'];
    const bars = pieces((await runMain(args, {}, width)).stderr).filter((piece) => piece.includes('%'));
    expect(bars.at(-1)).toMatch(/^ {4}1\/1 {2}\S+ +100 % .*\d+ s (left|of the run)/);
    for (const bar of bars) expect(bar.length, bar).toBeLessThanOrEqual(width);
  });
});

describe.each([40, 60, 80])('a terminal of %i columns', (width) => {
  it('has room for gradcheck, whose layout is the same with colours as without', async () => {
    const args = ['gradcheck', ...NETWORK, '--quiet'];
    const [coloured, plain] = [{}, { NO_COLOR: '1' }].map((env) => runMain(args, env, width));
    expectToFit((await coloured).stdout, width);
    const withoutTime = (text: string) => stripVTControlCharacters(text).replace(/(\d+\smin\s)?[\d.]+\ss\n$/, '');
    expect(withoutTime((await coloured).stdout)).toBe(withoutTime((await plain).stdout));
  });

  it.each(COMMANDS)('has room for %s %s %s', async (...args) => {
    const { code, stdout } = await runMain(args, {}, width);
    expect(code).toBeLessThanOrEqual(1);
    expect(stdout).not.toBe('');
    expectToFit(stdout, width);
  });
});

it('a terminal that reports a width of 0 gets whole lines', async () => {
  for (const args of [['explain', 'staged'], ['--help']]) {
    const { stdout } = await runMain(args, { NO_COLOR: '1' }, 0);
    expect(stdout).toBe((await runMain(args)).stdout);
  }
});
