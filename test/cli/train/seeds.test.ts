import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { nnTrain, QUICK } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';
import { runMain } from '../../support/in-process.ts';

const RUN = [...QUICK, '--epochs', '2'];
const contentOf = (...names: readonly string[]) => readFileSync(path.join(...names));
/** `0.4567` as `45.67 %`. */
const percent = (share: number) => `${(100 * share).toFixed(2)} %`;

describe('--seeds', () => {
  it('prints a line for each run, then the means with their deviations; each run has the bits of a single one', async () => {
    const cwd = temporaryFolder();
    const { code, stdout, stderr } = await nnTrain([...RUN, '--seeds', '0,7,3', '--views', '2'], { cwd });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^seed {3}0, 7, 3$/m);
    expect(stdout).not.toMatch(/^run /m);
    const rows = [
      ...stdout.matchAll(/^ +(\d) +2 +(\d+\.\d\d) % +(\d+\.\d\d) % +[\d.]+ {2}(runs\/linear-seed\d-\d{8}-\d{6})$/gm),
    ];
    expect(rows.map(([, seed]) => seed)).toEqual(['0', '7', '3']);
    const results: { test: { accuracy: number; averaged: { accuracy: number } }; validation: { accuracy: number } }[] =
      [];
    for (const [, seed, validation, test, run] of rows) {
      const single = await nnTrain([...RUN, '--seed', seed, '--views', '2', '--out', seed, '--json'], { cwd });
      for (const file of ['last.safetensors', 'best.safetensors', 'config.json', 'steps.jsonl', 'result.json']) {
        expect(contentOf(cwd, run, file).equals(contentOf(cwd, seed, file)), `${file} of seed ${seed}`).toBe(true);
      }
      expect(existsSync(path.join(cwd, run, 'report.html'))).toBe(true);
      const result = JSON.parse(single.stdout);
      expect([`${validation} %`, `${test} %`]).toEqual(
        [result.validation, result.test].map((of) => percent(of.accuracy)),
      );
      results.push(result);
    }
    /** Differences between pairs give the variance without the mean. */
    const expected = (shares: readonly number[]) => {
      const [a, b, c] = shares;
      const deviation = Math.sqrt(((a - b) ** 2 + (b - c) ** 2 + (c - a) ** 2) / 6);
      return `${((100 * (a + b + c)) / 3).toFixed(2)} ± ${percent(deviation)}`;
    };
    expect(stdout.split('\n').slice(-6)).toEqual([
      `validation  ${expected(results.map(({ validation }) => validation.accuracy))}`,
      `test        ${expected(results.map(({ test }) => test.accuracy))}`,
      `views       ${expected(results.map(({ test }) => test.averaged.accuracy))}`,
      '            mean ± sample standard deviation of 3 runs',
      'These are results on the synthetic stand-in images, not on CIFAR-10.',
      '',
    ]);
  });

  it('prints one JSON object for each run with --json, and saves them in folders in --out', async () => {
    const out = path.join(temporaryFolder(), 'all');
    const { code, stdout, stderr } = await runMain([...RUN, '--seeds', '1,2', '--out', out, '--json', '--quiet']);
    expect(code).toBe(0);
    const results = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(results).toMatchObject(
      [1, 2].map((seed) => ({ seed, status: 'finished', run: path.join(out, `seed-${seed}`) })),
    );
    expect(stderr).toMatch(/^seed {2}epochs.*\n {3}1 .*\n {3}2 .*\n\nvalidation .*\ntest .*\n +mean .*\nThese .*\n$/);
    expect(readdirSync(out)).toEqual(['seed-1', 'seed-2']);
    const listed = JSON.parse((await runMain(['runs', out, '--json'])).stdout).runs;
    expect(listed.map(({ seed }: { seed: number }) => seed).sort()).toEqual([1, 2]);
    // Nothing is trained if a folder is taken.
    const again = await runMain([...RUN, '--seeds', '0,2', '--out', out]);
    expect([again.code, again.stdout]).toEqual([2, '']);
    expect(again.stderr).toContain(`${path.join(out, 'seed-2')} already exists and is kept`);
    const within = await runMain([...RUN, '--seeds', '0,2', '--out', path.join(out, 'seed-1')]);
    expect([within.code, within.stderr]).toEqual([2, expect.stringContaining('already exists and is kept')]);
    expect(readdirSync(out)).toEqual(['seed-1', 'seed-2']);
  });

  it('go on after one that diverged; the exit code is 4', async () => {
    const { code, stdout, stderr } = await runMain([...QUICK, '--seeds', '0,1', '--lr', '1e6', '--no-save', '--quiet']);
    expect(code).toBe(4);
    expect(stdout).toMatch(/^seed .*\n {3}0 .* – .* diverged at step \d+\n {3}1 .* – .* diverged at step \d+\n$/);
    expect(stderr.match(/^note: seed [01]: training diverged: .*--lr/gm)).toHaveLength(2);
  });

  it('are all stopped by Ctrl-C, which says what can be resumed and what has not begun', async () => {
    const out = path.join(temporaryFolder(), 'all');
    const { code, stdout, stderr } = await runMain(
      [...RUN, '--seeds', '0,1,2,3', '--out', out],
      {},
      undefined,
      (text, io) => {
        if (text.includes('seed-0')) io.emit('SIGINT', 'SIGINT');
      },
    );
    expect(code).toBe(130);
    expect(stdout).toMatch(/^ {3}1 .*interrupted at step 0, .*seed-1$/m);
    expect(stdout).toMatch(/^ +of one run$/m);
    expect(stderr).toMatch(/resume with:\n {2}.* --resume .*seed-1\nthe other seeds have not begun: --seeds 2,3\n$/);
    expect(readdirSync(out)).toEqual(['seed-0', 'seed-1']);
  });

  it.each([
    [['--seeds', ''], '--seeds must be different seeds with commas between them, such as 0,1,2, got '],
    [['--seeds', '0,,1'], 'got 0,,1'],
    [['--seeds', '1,1'], 'got 1,1'],
    [['--seeds', '0,-1'], 'got 0,-1'],
    [['--seeds', '0.5'], 'got 0.5'],
    [['--seeds', '0,1', '--seed', '2'], '--seeds trains several runs; leave out --seed'],
    [['--seeds', '0,1', '--watch', '--open'], 'leave out --watch, --open'],
    [['--seeds', '0,1', '--resume', 'run'], 'leave out --resume'],
    [['--seeds', '0,1', '--print-config'], 'leave out --print-config'],
  ])('refuse %j', async (args, message) => {
    const { code, stdout, stderr } = await runMain([...RUN, ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it('refuse a folder that cannot hold them', async () => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, 'file'), '');
    mkdirSync(path.join(folder, 'out/seed-1'), { recursive: true });
    writeFileSync(path.join(folder, 'out/seed-1/notes'), '');
    const taken = await runMain([...RUN, '--seeds', '0,1', '--out', path.join(folder, 'out')]);
    expect([taken.code, taken.stderr]).toEqual([2, expect.stringContaining('is not empty')]);
  });
});
