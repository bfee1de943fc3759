import { renameSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { scratchFolder, writeBatchFiles } from '../../support/cifar10.ts';
import { nnTrain } from '../../support/cli.ts';
import { runMain } from '../../support/in-process.ts';
import { independentAccuracy } from '../../support/independent-accuracy.ts';
import { writeSmallCifar10 } from '../../support/small-cifar10.ts';

const scratch = scratchFolder();
const data = path.join(scratch, 'small');
const TEST_IMAGES = 1000;
/** 2,000 images to train on and 500 for validation. */
const SMALL = ['--data', data, '--trust', '--val', '500'];

const FIELDS = ['--recipe', 'plain', '--hidden', '3', '--receptive-field', '16', '--receptive-stride', '8'];

beforeAll(() => {
  writeSmallCifar10(data, 2500, TEST_IMAGES);
});

describe('a run on files in the format of CIFAR-10', () => {
  // In integer precisions, reported scores use weights rounded to 16 bits, which can decide near ties.
  it.each([
    ['linear', 'float32', 1, []],
    ['linear', 'int16', 2, []],
    ['mlp', 'float32', 1, ['--recipe', 'plain', '--hidden', '16']],
    ['mlp', 'int16', 2, ['--recipe', 'plain', '--hidden', '16']],
    ['mlp', 'float32', 1, [...FIELDS, '--activation', 'multi-bias']],
    ['mlp', 'int16', 2, [...FIELDS, '--activation', 'crelu', '--mirror']],
    ['linear', 'int8', 2, []],
    ['mlp', 'int8', 2, [...FIELDS, '--activation', 'multi-bias']],
  ])('%s in %s: an independent program finds the reported test accuracy to %i in 1,000', async (model, ...rest) => {
    const [precision, others, extra] = rest;
    const run = path.join(scratch, [model, precision, ...extra].join(' '));
    const options = ['--precision', precision, '--epochs', '4', '--out', run, '--json'];
    const { code, stdout, stderr } = await runMain(['--model', model, ...extra, ...options, ...SMALL]);
    expect(code, stderr).toBe(0);
    const result = JSON.parse(stdout);
    expect(result.dataset).toBe('cifar10');
    expect(result.test.accuracy).toBeGreaterThan(0.25);
    const accuracy = independentAccuracy(path.join(run, 'last.safetensors'), data, {
      stride: 8,
      mirror: extra.includes('--mirror'),
    });
    expect(Math.abs(accuracy - result.test.accuracy)).toBeLessThanOrEqual((others + 1e-4) / TEST_IMAGES);
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
      const options = ['--precision', 'float32', '--epochs', '3', '--batch-size', '64'];
      const args = ['--model', 'mlp', ...extra, ...options, '--out', run, '--json', '--views', views];
      const { code, stdout, stderr } = await runMain([...args, ...SMALL]);
      expect(code, stderr).toBe(0);
      const { test } = JSON.parse(stdout);
      const close = (accuracy: number, wanted: number) =>
        expect(Math.abs(accuracy - wanted)).toBeLessThanOrEqual(1.0001 / TEST_IMAGES);
      const saved = path.join(run, 'last.safetensors');
      close(independentAccuracy(saved, data, windows), test.accuracy);
      close(independentAccuracy(saved, data, { ...windows, views: Number(views) }), test.averaged.accuracy);
      expect(test.averaged.accuracy).not.toBe(test.accuracy);

      const [plain, averaged] = ['plain.safetensors', 'averaged.safetensors'].map((file) => path.join(run, file));
      expect((await runMain(['export', run, '--dense', plain])).code).toBe(0);
      expect((await runMain(['export', run, '--dense', averaged, '--views', views])).code).toBe(0);
      close(independentAccuracy(plain, data), test.accuracy);
      close(independentAccuracy(averaged, data), test.averaged.accuracy);
    },
  );

  it('takes the published number of images as they are', async () => {
    const whole = writeBatchFiles(path.join(scratch, 'cifar-10-batches-bin'));
    const args = ['--data', whole, '--train-limit', '100', '--epochs', '1', '--no-save'];
    const { code, stdout, stderr } = await nnTrain(args);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('100 training, 1,000 validation and 10,000 test images');
  });

  it('records the path of its images, and rejects others when it is resumed', async () => {
    const run = path.join(scratch, 'resumed');
    const env = { NN_TRAIN_DATA_DIR: data };
    const args = ['--dataset', 'cifar10', '--trust', '--val', '500', '--train-limit', '100', '--epochs', '1'];
    expect((await runMain([...args, '--out', run, '--quiet'], env)).code).toBe(0);
    const again = await runMain(['--resume', run]);
    expect([again.code, again.stderr]).toEqual([0, '']);
    expect((await runMain(['eval', run])).stdout).toContain('on 1,000 images');

    renameSync(data, `${data}-moved`);
    const moved = await runMain(['--resume', run]);
    renameSync(`${data}-moved`, data);
    expect([moved.code, moved.stderr]).toEqual([
      3,
      `error: the images of ${run} are no longer in ${data}; give their new path with --data PATH\n`,
    ]);

    const other = writeSmallCifar10(path.join(scratch, 'other'), 500, 100);
    const refused = await runMain(['--resume', run, '--data', other]);
    const difference = `${other} does not hold the images that ${run} was trained on`;
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain(`error: ${difference}: their SHA-256 is `);
    for (const command of ['eval', 'gradcheck']) {
      expect((await runMain([command, run, '--data', other])).stderr).toContain(`note: ${difference}\n`);
    }
  });
});
