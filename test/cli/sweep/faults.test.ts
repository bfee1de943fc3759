import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { nnTrain, QUICK } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';
import { onOwnMounts, UNSHARE } from '../../support/mounts.ts';
import { canRunUnprivileged, NOBODY } from '../../support/unprivileged.ts';

const SMALL = [...QUICK, '--epochs', '2', '--search', 'lr', '--method', 'sobol', '--trials', '24', '--quiet', '--json'];

describe('a sweep', () => {
  it.skipIf(!UNSHARE)('on a full disk ends with one message, and goes on once there is space', async () => {
    const cwd = temporaryFolder();
    mkdirSync(path.join(cwd, 'small'));
    // A result takes about a kilobyte; checkpoints give way to it, but a page is the least that a file takes.
    const script =
      'mount -t tmpfs -o size=16k tmpfs small && "$0" "$@"; code=$?; rm -rf small/sweep/checkpoints; cp -r small/sweep saved; exit $code';
    const result = onOwnMounts(script, ['sweep', ...SMALL, '--out', 'small/sweep'], cwd);
    expect(result.stderr).toBe('error: cannot write small/sweep/sweep.jsonl: no space left on the device\n');
    expect(result.status).toBe(1);
    const resumed = await nnTrain(['sweep', '--resume', 'saved', '--json', '--quiet'], { cwd });
    const whole = await nnTrain(['sweep', ...SMALL, '--out', 'whole'], { cwd });
    expect(JSON.parse(resumed.stdout).ranking).toEqual(JSON.parse(whole.stdout).ranking);
  });

  it.skipIf(!UNSHARE)('on a read-only disk is one message, and can still be shown', async () => {
    const cwd = temporaryFolder();
    await nnTrain(['sweep', ...SMALL, '--out', 'sweep'], { cwd });
    mkdirSync(path.join(cwd, 'disk'));
    const script =
      'mount -t tmpfs tmpfs disk; cp -r sweep disk/sweep; mount -o remount,ro disk; "$0" "$@" --out disk/new; ' +
      '"$0" "$1" sweep --resume disk/sweep --quiet; "$0" "$1" sweep show disk/sweep --json > shown';
    const result = onOwnMounts(script, ['sweep', ...SMALL], cwd);
    expect(result.stderr.split('\n').slice(0, -1)).toEqual([
      'error: cannot create the folder of the sweep disk/new: the file system is read-only; choose another folder',
      'error: cannot lock the sweep disk/sweep: the file system is read-only; choose another folder',
      'note: cannot write disk/sweep/report.html: the file system is read-only; choose another folder',
    ]);
    expect(JSON.parse(readFileSync(path.join(cwd, 'shown'), 'utf8'))).toMatchObject({ status: 'finished' });
  });

  it.skipIf(!canRunUnprivileged)('in a folder that may not be written is one message', async () => {
    const cwd = temporaryFolder();
    mkdirSync(path.join(cwd, 'closed'));
    chmodSync(path.join(cwd, 'closed'), 0o555);
    chmodSync(cwd, 0o755);
    const { code, stderr } = await nnTrain(['sweep', ...SMALL, '--out', 'closed/sweep'], { cwd, uid: NOBODY });
    expect([code, stderr]).toEqual([
      1,
      'error: cannot create the folder of the sweep closed/sweep: permission denied\n',
    ]);
  });

  it('is refused while another process works on it', async () => {
    const cwd = temporaryFolder();
    const long = [...QUICK, '--epochs', '500', '--search', 'lr', '--out', 'sweep'];
    let second: ReturnType<typeof nnTrain> | undefined;
    const first = await nnTrain(['sweep', ...long], {
      cwd,
      onStart: (child) =>
        child.stdout!.on('data', () => {
          second ??= nnTrain(['sweep', '--resume', 'sweep'], { cwd }).finally(() => child.kill('SIGINT'));
        }),
    });
    expect(first.code).toBe(130);
    const { code, stderr } = await second!;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: sweep is being worked on by process \d+ on .*; wait until that process ends/);
  });

  it.each([
    ['an unknown field', ['--search', 'learning-rat'], /learning-?[rR]at is not a hyperparameter/],
    ['an unknown field in other letters', ['--search', 'LearningRate'], '--learning-rate is not a hyperparameter'],
    [
      'a list of seeds',
      ['--search', 'LR', '--seeds', '0,1,2'],
      '--seeds of a sweep is a number, of seeds that count on from --seed, got 0,1,2; for 3 seeds write --seeds 3',
    ],
    ['an empty range', ['--search', 'lr=0.1..0.01'], '--lr has an empty range: 0.1 is above 0.01'],
    ['a log range over zero', ['--search', 'dropout=0..0.5:log', '--model', 'mlp'], 'it must begin above 0'],
    ['a field that is also given', ['--search', 'lr', '--lr', '0.1'], '--lr is both searched and given'],
    ['nothing to search', [], 'nothing to search; add --search with a hyperparameter, such as --search lr'],
    ['no validation images', ['--search', 'lr', '--val', '0'], 'a sweep ranks by validation images, but --val 0'],
    [
      'halving of too few epochs',
      ['--search', 'lr', '--halving', '3', '--epochs', '2'],
      'it needs at least 3 epochs, got 2',
    ],
    ['a list of trials that follow from results', ['--search', 'lr', '--list'], 'add --method grid, random or sobol'],
  ])('with %s is refused in one sentence', async (_, args, message) => {
    const cwd = temporaryFolder();
    const { code, stdout, stderr } = await nnTrain(['sweep', '--dataset', 'synthetic', ...args], { cwd });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
