import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { decodeSafetensors } from '../../../src/weights/decode.ts';
import { scratchFolder } from '../../support/cifar10.ts';
import { nnTrain } from '../../support/cli.ts';
import { onSmallCifar10 } from '../../support/small-cifar10.ts';

const cwd = scratchFolder();
const FIELDS = ['--receptive-field', '16', '--receptive-stride', '8', '--hidden', '2', '--batch-size', '64'];

beforeAll(async () => {
  for (const [name, ...options] of [
    ['linear', '--model', 'linear'],
    ['fields', '--model', 'mlp', ...FIELDS],
    ['tanh', '--model', 'mlp', '--recipe', 'plain', '--hidden', '2', '--activation', 'tanh'],
  ]) {
    const { code, stderr } = await nnTrain([...onSmallCifar10(cwd), ...options, '--epochs', '1', '--out', name], {
      cwd,
    });
    expect(code, stderr).toBe(0);
  }
});

const exported = (...args: string[]) => nnTrain(['export', ...args], { cwd });
const read = (file: string) => decodeSafetensors(readFileSync(path.join(cwd, file)), file);

it('writes dense.safetensors into the run, and says what it holds', async () => {
  const { code, stdout } = await exported('fields');
  const file = path.join('fields', 'dense.safetensors');
  expect(code).toBe(0);
  expect(stdout).toContain(
    'network fc1.weight [72, 3072], fc1.bias [72]\n        fc2.weight [10, 72], fc2.bias [10]\n',
  );
  expect(stdout).toContain(`of      last weights (epoch 1)\nsaved   ${file} (0.9 MB)\n`);
  const { tensors, metadata } = read(file);
  expect(Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]))).toEqual({
    'fc1.weight': [72, 3072],
    'fc1.bias': [72],
    'fc2.weight': [10, 72],
    'fc2.bias': [10],
  });
  expect(metadata).toMatchObject({
    format: 'pt',
    network: 'scores = fc2(relu(fc1(x)))',
    inputs: expect.stringContaining('(p - 128) / 64'),
    weights: 'last, epoch 1',
    views: '1',
  });
  expect(JSON.parse(metadata.classes)).toContain('airplane');
});

it('folds views in, takes the best weights, and replaces an existing file', async () => {
  const args = ['linear', '--views', '2', '--dense', 'out.safetensors'];
  expect((await exported(...args)).stdout).toContain('last weights (epoch 1), 2 views averaged');
  expect((await exported(...args, '--weights', 'best')).code).toBe(0);
  const { tensors, metadata } = read('out.safetensors');
  expect(metadata).toMatchObject({ weights: 'best, epoch 1', views: '2', network: 'scores = linear(x)' });
  // Scores that are averaged over mirror images do not tell left from right.
  const { values } = tensors.get('linear.weight')!;
  const mirrored = values.map((_, i) => values[i - (i % 32) + 31 - (i % 32)]);
  expect(values).toEqual(mirrored);
});

it.each([
  [['tanh', '--dense', 'x.safetensors'], 'a network of tanh units is not a network of ReLU units'],
  [['linear', '--dense', 'x.pt'], '--dense writes safetensors, got x.pt; name it x.safetensors'],
  [['linear', '--dense', ''], '--dense must name a file, got an empty string'],
  [['linear', '--dense', path.join('linear', 'last.safetensors')], 'is a checkpoint of the run linear'],
  [['nowhere'], 'nowhere is not a run directory'],
])('rejects %j', async (args, message) => {
  const before = readFileSync(path.join(cwd, 'linear', 'last.safetensors'));
  const { code, stderr } = await exported(...args);
  expect(code).toBe(2);
  expect(stderr).toContain(`error: `);
  expect(stderr).toContain(message);
  expect(existsSync(path.join(cwd, 'x.safetensors'))).toBe(false);
  expect(readFileSync(path.join(cwd, 'linear', 'last.safetensors'))).toEqual(before);
});

it('says how to choose another file if the default cannot be written', async () => {
  mkdirSync(path.join(cwd, 'linear', 'dense.safetensors'));
  const { code, stderr } = await exported('linear');
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: cannot write .*dense.safetensors: .*; choose another file with --dense\n$/);
});
