import { existsSync, readFileSync } from 'node:fs';
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

it('says the accuracy over views after the plain one, as training did', async () => {
  const cwd = temporaryFolder();
  const log = path.join(cwd, 'log.jsonl');
  const args = [...QUICK, '--epochs', '1', '--out', 'run', '--views', '10', '--log', log];
  const trained = await nnTrain(args, { cwd });
  expect(trained.code, trained.stderr).toBe(0);
  const shares = trained.stdout.match(
    /^test +loss .*, accuracy ([\d.]+) %.*\nviews +accuracy ([\d.]+) % over 10 views$/m,
  )!;
  const [plain, averaged] = shares.slice(1).map((share) => Math.round(Number(share) * 100) / 10000);
  const end = JSON.parse(readFileSync(log, 'utf8').trimEnd().split('\n').at(-1)!);
  expect(end.test).toEqual({ loss: expect.any(Number), accuracy: plain, averaged: { views: 10, accuracy: averaged } });
  // Views say how a run is tested, not how it is trained.
  expect(end.config).not.toHaveProperty('views');

  const { test } = JSON.parse((await nnTrain(['eval', 'run', '--views', '10', '--json'], { cwd })).stdout);
  expect(test.accuracy).toBe(plain);
  expect(test.averaged).toEqual({ views: 10, accuracy: averaged, interval: [expect.any(Number), expect.any(Number)] });
  const [low, high] = test.averaged.interval.map((share: number) => (100 * share).toFixed(2));
  const human = await nnTrain(['eval', 'run', '--views', '10'], { cwd });
  expect(human.stdout).toContain(
    `\nviews  accuracy ${shares[2]} % over 10 views (95 % interval ${low} to ${high} %)\n`,
  );
  expect((await nnTrain(['eval', 'run'], { cwd })).stdout).not.toContain('views');
});

it.each([
  ['eval', 'run'],
  ['predict', 'run', 'x.png'],
  ['report', 'run'],
  ['--model', 'linear'],
])('rejects another number of views: %s', async (...args) => {
  const { code, stderr } = await nnTrain([...args, '--views', '5']);
  expect([code, stderr]).toEqual([2, 'error: --views must be one of 1, 2, 10, got 5\n']);
});

it('rejects a run without best weights', async () => {
  const cwd = temporaryFolder();
  await nnTrain([...QUICK, '--epochs', '1', '--val', '0', '--out', 'run'], { cwd });
  expect(existsSync(path.join(cwd, 'run/best.safetensors'))).toBe(false);
  const { code, stderr } = await nnTrain(['eval', 'run', '--weights', 'best'], { cwd });
  expect(code).toBe(1);
  expect(stderr).toBe('error: run has no best weights: no epoch has ended, or the run has no validation images\n');
});
