import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { nnTrain, QUICK } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';

it('finds the accuracy that training printed for the last weights, and evaluates the best ones too', async () => {
  const cwd = temporaryFolder();
  const trained = JSON.parse((await nnTrain([...QUICK, '--epochs', '2', '--out', 'run', '--json'], { cwd })).stdout);
  const { code, stdout } = await nnTrain(['eval', 'run', '--json'], { cwd });
  expect(code).toBe(0);
  const result = JSON.parse(stdout);
  expect(result).toEqual({
    model: 'linear',
    dataset: 'synthetic',
    seed: 0,
    run: 'run',
    weights: 'last',
    epoch: 2,
    images: 2000,
    test: { ...trained.test, interval: [expect.any(Number), expect.any(Number)] },
  });
  // Near the middle of [0, 1], the interval is close to the normal approximation.
  const { accuracy, interval } = result.test;
  const half = 1.96 * Math.sqrt((accuracy * (1 - accuracy)) / 2000);
  expect(interval[0]).toBeCloseTo(accuracy - half, 3);
  expect(interval[1]).toBeCloseTo(accuracy + half, 3);

  const best = await nnTrain(['eval', 'run', '--weights', 'best', '--json'], { cwd });
  expect(JSON.parse(best.stdout)).toMatchObject({ weights: 'best', epoch: trained.bestEpoch });

  const human = await nnTrain(['eval', 'run'], { cwd });
  const [shown, low, high] = [accuracy, ...interval].map((share) => (100 * share).toFixed(2));
  expect(human.stdout).toContain(`accuracy ${shown} % (95 % interval ${low} to ${high} %)\n       on 2,000 images`);
  expect(human.stdout).toContain('not on CIFAR-10');
});

it('rejects a run without best weights', async () => {
  const cwd = temporaryFolder();
  await nnTrain([...QUICK, '--epochs', '1', '--val', '0', '--out', 'run'], { cwd });
  expect(existsSync(path.join(cwd, 'run/best.safetensors'))).toBe(false);
  const { code, stderr } = await nnTrain(['eval', 'run', '--weights', 'best'], { cwd });
  expect(code).toBe(1);
  expect(stderr).toBe('error: run has no best weights: no epoch has ended, or the run has no validation images\n');
});
