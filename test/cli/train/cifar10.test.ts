import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { syntheticDataset } from '../../../src/dataset/synthetic.ts';
import type { ImageSet } from '../../../src/images.ts';
import { NAMES, scratchFolder } from '../../support/cifar10.ts';
import { nnTrain } from '../../support/cli.ts';
import { independentAccuracy } from '../../support/independent-accuracy.ts';

const scratch = scratchFolder();
const data = path.join(scratch, 'cifar-10-batches-bin');

const FIELDS = ['--recipe', 'plain', '--hidden', '3', '--receptive-field', '16', '--receptive-stride', '8'];

/** 10,000 images as a CIFAR-10 file. */
function recordsOf({ images, labels }: ImageSet): Buffer {
  const file = Buffer.alloc(labels.length * 3073);
  for (let i = 0; i < labels.length; i++) {
    file[i * 3073] = labels[i];
    file.set(images.subarray(i * 3072, (i + 1) * 3072), i * 3073 + 1);
  }
  return file;
}

beforeAll(() => {
  const { train, test } = syntheticDataset({ trainCount: 10000, testCount: 10000 });
  mkdirSync(data);
  const [training, testing] = [recordsOf(train), recordsOf(test)];
  for (const name of NAMES) writeFileSync(path.join(data, name), name === 'test_batch.bin' ? testing : training);
});

describe('a run on files in the format of CIFAR-10', () => {
  // In int16, scores use weights rounded to 16 bits, which can decide near ties.
  it.each([
    ['linear', 'float32', 1, []],
    ['linear', 'int16', 5, []],
    ['mlp', 'float32', 1, ['--recipe', 'plain', '--hidden', '16']],
    ['mlp', 'int16', 5, ['--recipe', 'plain', '--hidden', '16']],
    ['mlp', 'float32', 1, [...FIELDS, '--activation', 'multi-bias']],
    ['mlp', 'int16', 5, [...FIELDS, '--activation', 'crelu', '--mirror']],
  ])('%s in %s: an independent program finds the reported test accuracy to %i in 10,000', async (model, ...rest) => {
    const [precision, others, extra] = rest;
    const run = path.join(scratch, [model, precision, ...extra].join(' '));
    const options = ['--precision', precision, '--train-limit', '2000', '--epochs', '4', '--out', run, '--json'];
    const args = ['--model', model, ...extra, ...options];
    const { code, stdout, stderr } = await nnTrain([...args, '--data', scratch]);
    expect(code, stderr).toBe(0);
    const result = JSON.parse(stdout);
    expect(result.dataset).toBe('cifar10');
    expect(result.test.accuracy).toBeGreaterThan(0.25);
    const accuracy = independentAccuracy(path.join(run, 'last.safetensors'), data, {
      stride: 8,
      mirror: extra.includes('--mirror'),
    });
    expect(Math.abs(accuracy - result.test.accuracy)).toBeLessThanOrEqual(others / 10000);
  });

  it.each([
    [
      'fields with four thresholds',
      ['--recipe', 'fast', '--hidden', '2', '--receptive-stride', '16'],
      { stride: 16 },
      '2',
    ],
    ['dense crelu', ['--recipe', 'plain', '--hidden', '2', '--activation', 'crelu'], {}, '10'],
  ])(
    '%s: it finds the accuracy over views too, from the run and from its dense form',
    async (name, extra, windows, views) => {
      const run = path.join(scratch, name.replaceAll(' ', '-'));
      const options = ['--precision', 'float32', '--train-limit', '2000', '--epochs', '3', '--batch-size', '64'];
      const args = ['--model', 'mlp', ...extra, ...options, '--out', run, '--json', '--views', views];
      const { code, stdout, stderr } = await nnTrain([...args, '--data', scratch]);
      expect(code, stderr).toBe(0);
      const { test } = JSON.parse(stdout);
      const close = (accuracy: number, wanted: number) =>
        expect(Math.abs(accuracy - wanted)).toBeLessThanOrEqual(1.0001 / 10000);
      const saved = path.join(run, 'last.safetensors');
      close(independentAccuracy(saved, data, windows), test.accuracy);
      close(independentAccuracy(saved, data, { ...windows, views: Number(views) }), test.averaged.accuracy);
      expect(test.averaged.accuracy).not.toBe(test.accuracy);

      const [plain, averaged] = ['plain.safetensors', 'averaged.safetensors'].map((file) => path.join(run, file));
      expect((await nnTrain(['export', run, '--dense', plain])).code).toBe(0);
      expect((await nnTrain(['export', run, '--dense', averaged, '--views', views])).code).toBe(0);
      close(independentAccuracy(plain, data), test.accuracy);
      close(independentAccuracy(averaged, data), test.averaged.accuracy);
    },
  );

  it('records the path of its images, and rejects others when it is resumed', async () => {
    const run = path.join(scratch, 'resumed');
    const env = { NN_TRAIN_DATA_DIR: data };
    const args = ['--dataset', 'cifar10', '--train-limit', '100', '--epochs', '1', '--out', run];
    expect((await nnTrain([...args], { env })).code).toBe(0);
    const again = await nnTrain(['--resume', run]);
    expect([again.code, again.stderr]).toEqual([0, '']);
    expect((await nnTrain(['eval', run])).stdout).toContain('on 10,000 images');

    renameSync(data, `${data}-moved`);
    const moved = await nnTrain(['--resume', run]);
    renameSync(`${data}-moved`, data);
    expect([moved.code, moved.stderr]).toEqual([
      3,
      `error: the images of ${run} are no longer in ${data}; give their new path with --data PATH\n`,
    ]);

    const other = path.join(scratch, 'other');
    mkdirSync(other);
    for (const name of NAMES) writeFileSync(path.join(other, name), Buffer.alloc(10000 * 3073));
    const refused = await nnTrain(['--resume', run, '--data', other]);
    const difference = `${other} does not hold the images that ${run} was trained on`;
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain(`error: ${difference}: their SHA-256 is `);
    for (const command of ['eval', 'gradcheck']) {
      expect((await nnTrain([command, run, '--data', other])).stderr).toContain(`note: ${difference}\n`);
    }
  });
});
