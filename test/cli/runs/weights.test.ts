import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { decode } from 'fast-png';
import { beforeAll, expect, it } from 'vitest';
import { ReferenceBackend } from '../../../src/backends/reference/reference.ts';
import { syntheticDataset } from '../../../src/dataset/synthetic.ts';
import { templatePixels } from '../../../src/pictures/template.ts';
import { openRun } from '../../../src/runs/open-run.ts';
import { scratchFolder } from '../../support/cifar10.ts';
import { nnTrain } from '../../support/cli.ts';
import { onSmallCifar10 } from '../../support/small-cifar10.ts';

const cwd = scratchFolder();

beforeAll(async () => {
  for (const [model, ...options] of [['linear'], ['mlp', '--recipe', 'plain', '--hidden', '6']]) {
    await nnTrain([...onSmallCifar10(cwd), '--model', model, ...options, '--epochs', '1', '--out', model], { cwd });
  }
});

/** The values of the parameters of a run. */
async function parametersOf(run: string) {
  const { model } = await openRun(path.join(cwd, run), { backend: new ReferenceBackend() });
  const { backend, parameters } = model.graph;
  const values = await Promise.all(
    parameters.map(async ({ name, tensor }) => [name, await backend.read(tensor)] as const),
  );
  return Object.fromEntries(values);
}

/** The 32 × 32 pixels of a tile, after checking that each is a square of `scale`. */
function tileOf(file: string, column: number, row: number, scale: number): number[] {
  const { width, data } = decode(readFileSync(path.join(cwd, file)));
  const [left, top] = [column, row].map((i) => 2 * scale + i * 34 * scale);
  const at = (x: number, y: number) => [...data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)];
  return Array.from({ length: 1024 }, (_, i) => {
    const [x, y] = [left + (i % 32) * scale, top + (i >> 5) * scale];
    expect(at(x + scale - 1, y + scale - 1)).toEqual(at(x, y));
    return at(x, y);
  }).flat();
}

it('draws the templates of a linear classifier in two rows of five', async () => {
  const { code, stdout, stderr } = await nnTrain(['weights', 'linear', '--png', 'templates.png'], { cwd });
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^order +airplane +automobile +bird +cat +deer\n +dog +frog +horse +ship +truck$/m);
  expect(stdout).toMatch(/^saved +templates\.png \(688×280\)$/m);
  const { 'linear.weight': weight } = await parametersOf('linear');
  for (const label of [0, 4, 5, 9]) {
    const wanted = templatePixels(weight.subarray(label * 3072, (label + 1) * 3072));
    expect(tileOf('templates.png', label % 5, Math.floor(label / 5), 4)).toEqual([...wanted]);
  }
});

it('draws the filters of a network, the most used first', async () => {
  const args = ['weights', 'mlp', '--png', 'filters.png', '--count', '4', '--scale', '1'];
  const { code, stdout, stderr } = await nnTrain(args, { cwd });
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain('4 of 6 first-layer filters, the most used first');

  // Mean |activation| × ‖column of W₂‖ over the test images, in plain loops.
  const { 'fc1.weight': w1, 'fc1.bias': b1, 'fc2.weight': w2 } = await parametersOf('mlp');
  const { images, labels } = syntheticDataset({ trainCount: 0, testCount: 200 }).test;
  const uses = Array.from({ length: 6 }, (_, j) => {
    let [activation, square] = [0, 0];
    for (let i = 0; i < labels.length; i++) {
      let sum = b1[j];
      for (let d = 0; d < 3072; d++) sum += (w1[j * 3072 + d] * (images[i * 3072 + d] - 128)) / 64;
      activation += Math.max(0, sum) / labels.length;
    }
    for (let c = 0; c < 10; c++) square += w2[c * 6 + j] ** 2;
    return activation * Math.sqrt(square);
  });
  const order = [0, 1, 2, 3, 4, 5].sort((a, b) => uses[b] - uses[a]).slice(0, 4);
  const [, first, second] = stdout.match(/^order +(\d+) +(\d+)\n/m)!;
  expect([Number(first), Number(second)]).toEqual(order.slice(0, 2));
  for (const [i, unit] of order.entries()) {
    const wanted = templatePixels(w1.subarray(unit * 3072, (unit + 1) * 3072));
    expect(tileOf('filters.png', i % 2, i >> 1, 1)).toEqual([...wanted]);
  }
});

it('writes weights.png into the run by default, whichever of its files is named', async () => {
  for (const run of ['linear', path.join('linear', 'config.json')]) {
    const { code, stdout, stderr } = await nnTrain(['weights', run, '--scale', '2'], { cwd });
    const file = path.join('linear', 'weights.png');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`saved   ${file} (344×140)`);
    expect(existsSync(path.join(cwd, file))).toBe(true);
    rmSync(path.join(cwd, file));
  }
  mkdirSync(path.join(cwd, 'linear', 'weights.png'));
  const { code, stderr } = await nnTrain(['weights', 'linear'], { cwd });
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^error: cannot write .*weights.png: .*; choose another file with --png\n$/),
  ]);
});

it('takes the weights that a file of the run names', async () => {
  const json = async (...args: string[]) => JSON.parse((await nnTrain(['eval', ...args, '--json'], { cwd })).stdout);
  const best = path.join('linear', 'best.safetensors');
  expect(await json(best)).toMatchObject({ run: 'linear', weights: 'best' });
  expect(await json(best, '--weights', 'last')).toMatchObject({ run: 'linear', weights: 'last' });
  expect(await json(path.join('linear', 'last.safetensors'))).toMatchObject({ run: 'linear', weights: 'last' });
  const { code, stderr } = await nnTrain(['--resume', best], { cwd });
  expect([code, stderr]).toEqual([
    2,
    `error: ${best} has the best weights, but this command takes the last ones; give the run directory, linear\n`,
  ]);
});

it.each([
  [['linear', '--png', 'x.png', '--count', '5'], '--count applies to an mlp only, but linear is linear'],
  [['mlp', '--png', 'x.png', '--count', '0'], '--count must be an integer ≥ 1 and ≤ 8192, got 0'],
  [['mlp', '--png', 'x.png', '--scale', '1.5'], '--scale must be an integer ≥ 1 and ≤ 32, got 1.5'],
  [['linear', '--png', 'x.jpg'], '--png writes PNG, got x.jpg; name it x.png'],
])('rejects %j', async (args, message) => {
  const { code, stderr } = await nnTrain(['weights', ...args], { cwd });
  expect(code).toBe(2);
  expect(stderr).toContain(message);
  expect(existsSync(path.join(cwd, 'x.png'))).toBe(false);
});
