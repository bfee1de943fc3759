import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { TIME_LIMIT } from '../../../src/cli/train/options.ts';
import { scratchFolder } from '../../support/cifar10.ts';
import { temporaryFolder } from '../../support/files.ts';
import { runMain } from '../../support/in-process.ts';
import { onSmallCifar10 } from '../../support/small-cifar10.ts';

const SMALL = onSmallCifar10(scratchFolder());

describe('a time', () => {
  it.each([
    ['90s', 90],
    ['30m', 1800],
    ['2h', 7200],
    ['1h30m', 5400],
    ['1h0m5s', 3605],
    ['0.5m', 30],
    ['500h', 1_800_000],
  ])('of %s has %i seconds', (text, seconds) => {
    expect(TIME_LIMIT.parse(text)).toBe(seconds);
  });

  it.each(['', '30', '0s', '-1m', '30m1h', '1d', '1 h', 'soon', '501h', '1e3s', '30M'])('is not %j', async (text) => {
    expect(TIME_LIMIT.parse(text)).toBeUndefined();
    const { code, stderr } = await runMain([...SMALL, '--no-save', '--time-limit', text]);
    expect([code, stderr]).toEqual([
      2,
      `error: --time-limit must be a time such as 90s, 30m or 1h30m, at most 500h, got ${text}\n`,
    ]);
  });
});

describe('--time-limit', () => {
  const EPOCHS = 4;
  const weights = async (run: string) => (await import('node:fs')).readFileSync(path.join(run, 'last.safetensors'));

  /** The time passes at the end of the second epoch. */
  async function limited(args: readonly string[]) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    return runMain([...args, '--time-limit', '1h30m'], {}, undefined, (text) => {
      if (text.includes(` 2/${EPOCHS} `)) vi.advanceTimersByTime(5_400_000);
    });
  }

  it('saves and stops the run with exit code 124, and the run can be resumed', async () => {
    const folder = temporaryFolder();
    const [run, whole] = ['run', 'whole'].map((name) => path.join(folder, name));
    const args = [...SMALL, '--epochs', String(EPOCHS)];
    const { code, stdout, stderr } = await limited([...args, '--out', run, '--json']);
    expect(code).toBe(124);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'interrupted',
      epochs: 2,
      run,
      stopped: { reason: 'interrupted', message: 'time limit', step: 20 },
    });
    expect(stderr).toContain('\nthe time limit of 1h30m is reached; stopping; press Ctrl-C to quit at once\n');
    expect(stderr).toMatch(
      /\nstopped after step 20 and saved, with a report in .*; resume with:\n {2}.* --resume .*\n$/,
    );
    vi.useRealTimers();
    expect((await runMain(['--resume', run, '--quiet', '--time-limit', '500h'])).code).toBe(0);
    await runMain([...args, '--out', whole, '--quiet']);
    expect((await weights(run)).equals(await weights(whole))).toBe(true);
  });
});
