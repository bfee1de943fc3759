import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { scratchFolder } from '../../support/cifar10.ts';
import { writeClassFolders } from '../../support/cifar10-versions.ts';
import { runMain } from '../../support/in-process.ts';

// 100 training and 20 test images in class folders.
const scratch = scratchFolder();
const images = writeClassFolders(path.join(scratch, 'images'), 20);
const run = path.join(scratch, 'run');

beforeAll(async () => {
  const { code, stderr } = await runMain(
    ['--data', images, '--trust', '--val', '10', '--epochs', '1', '--quiet', '--out', run],
    { NN_TRAIN_THREADS: '1' },
  );
  expect([code, stderr]).toEqual([0, '']);
});

it('training refuses a part of CIFAR-10, and says which option accepts it', async () => {
  expect(await runMain(['--data', images, '--no-save'])).toMatchObject({
    code: 3,
    stderr: `error: ${path.join(images, 'train')} has 100 images, wanted 50,000. To accept another number of images, add --trust.\n`,
  });
});

describe('a run on a part of CIFAR-10', () => {
  it('records the number of images, which the report shows', () => {
    const { dataset } = JSON.parse(readFileSync(path.join(run, 'config.json'), 'utf8'));
    expect(dataset).toMatchObject({ name: 'cifar10', source: images, images: { train: 100, test: 20 } });
    expect(readFileSync(path.join(run, 'report.html'), 'utf8')).toContain('"images":{"train":100,"test":20}');
  });

  it('is evaluated, resumed, reported and looked at without asking again', async () => {
    const evaluated = await runMain(['eval', run, '--json']);
    expect([evaluated.code, evaluated.stderr]).toEqual([0, '']);
    expect(JSON.parse(evaluated.stdout).images).toBe(20);
    for (const args of [
      ['--resume', run, '--quiet'],
      ['report', run],
      ['gradcheck', run, '--quiet'],
    ]) {
      expect(await runMain(args)).toMatchObject({ code: 0, stderr: '' });
    }
  });

  it('is told from a run on other images', async () => {
    const other = writeClassFolders(path.join(scratch, 'other'), 30);
    const evaluated = await runMain(['eval', run, '--data', other]);
    expect(evaluated).toMatchObject({
      code: 0,
      stderr: `note: ${other} does not hold the images that ${run} was trained on\n`,
    });
    expect(await runMain(['--resume', run, '--data', other])).toMatchObject({ code: 3 });
    rmSync(other, { recursive: true });
  });
});

it('data info and verify accept it too, and notes are printed on stderr', async () => {
  const file = path.join(images, 'train', 'cat', 'labels.txt');
  writeFileSync(file, '');
  expect((await runMain(['data', 'info', images])).code).toBe(3);
  const info = await runMain(['data', 'info', images, '--trust', '--json']);
  const note = `note: ${path.join(images, 'train')} has files other than .png and .jpg, which are left out: ${path.join('cat', 'labels.txt')}\n`;
  expect([info.code, info.stderr]).toEqual([0, note]);
  expect(JSON.parse(info.stdout)).toMatchObject({ train: { images: 100 }, test: { images: 20 }, official: false });
  const verified = await runMain(['data', 'verify', images, '--trust']);
  expect([verified.code, verified.stderr]).toEqual([3, note]);
  expect(verified.stdout).toContain('6 of the 6 files differ');
  rmSync(file);
});

describe('options of images have no effect on generated ones, so they are refused:', () => {
  it.each([
    [['--dataset', 'synthetic', '--data', 'x'], {}, '--dataset synthetic generates its images, so --data x has'],
    [['--data', 'x'], { NN_TRAIN_DATASET: 'synthetic' }, 'NN_TRAIN_DATASET=synthetic generates its images, so'],
    [['gradcheck', '--dataset', 'synthetic', '--trust'], {}, 'generates its images, so --trust has no effect'],
    [['explain', 'sigmoid', '--data', 'x'], {}, '--data applies to the graph of a model only'],
  ])('%j', async (args, env, message) => {
    const { code, stderr } = await runMain([...args], env as Record<string, string>);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  it('with a run, too', async () => {
    const synthetic = path.join(scratch, 'synthetic');
    const args = ['--dataset', 'synthetic', '--train-limit', '100', '--val', '0', '--epochs', '1', '--out', synthetic];
    // A variable is set for all commands, whatever images they use.
    expect((await runMain([...args, '--quiet'], { NN_TRAIN_DATA_DIR: '/nowhere' })).code).toBe(0);
    for (const command of ['eval', 'report']) {
      expect(await runMain([command, synthetic, '--data', images])).toMatchObject({
        code: 2,
        stderr: `error: ${synthetic} was trained on generated images; leave out --data\n`,
      });
    }
    expect(await runMain(['weights', run, '--png', 'x.png', '--data', images])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--data applies to an mlp only'),
    });
    const both = path.join(scratch, 'both.html');
    expect((await runMain(['report', synthetic, run, '--data', images, '--out', both])).code).toBe(0);
  });
});
