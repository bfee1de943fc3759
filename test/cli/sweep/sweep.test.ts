import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CliOptions, nnTrain, OWN_NAME, QUICK } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';
import { blocksOf, readPage } from '../../support/markdown.ts';

const SEARCH = [
  '--search',
  'lr',
  '--search',
  'weight-decay',
  '--search',
  'optimizer=sgd,adamw',
  '--search',
  'momentum',
];
const SWEEP = [...QUICK, '--epochs', '9', '--halving', '3', '--trials', '24', '--seeds', '2', ...SEARCH];
/** Trainings of that sweep: 24, 8 and 3 trials on the rungs, and one more seed of each finalist. */
const TRAININGS = 24 + 8 + 3 + 3;

interface Line {
  readonly [key: string]: unknown;
}

function journalOf(folder: string): Line[] {
  const text = readFileSync(path.join(folder, 'sweep.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

/** The lines without measured times and workers, in a fixed order. */
function contentOf(folder: string): string[] {
  return journalOf(folder)
    .map(({ seconds: _, worker: __, ...line }) => JSON.stringify(line))
    .sort();
}

function winnersHash(folder: string): string {
  return createHash('sha256')
    .update(readFileSync(path.join(folder, 'winner/last.safetensors')))
    .digest('hex');
}

function sweep(folder: string, args: readonly string[], options: CliOptions = {}) {
  return nnTrain(['sweep', ...args, '--quiet', '--json'], { cwd: path.dirname(folder), ...options });
}

describe('nn-train sweep', () => {
  it('has the same answer for any number of workers, and after kills at any moment', async () => {
    const folder = temporaryFolder();
    const [alone, together, killed] = ['1', '3', 'killed'].map((name) => path.join(folder, name));
    const { stdout, stderr, code } = await sweep(alone, [...SWEEP, '--workers', '1', '--out', alone]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(journalOf(alone)).toHaveLength(1 + TRAININGS + 1);
    await sweep(together, [...SWEEP, '--workers', '3', '--out', together]);
    expect(contentOf(together)).toEqual(contentOf(alone));

    // Killed as soon as the journal has four more lines, until it has all.
    let kills = 0;
    for (let isOver = false; !isOver; kills++) {
      const args = existsSync(path.join(killed, 'sweep.jsonl')) ? ['--resume', killed] : [...SWEEP, '--out', killed];
      const linesBefore = kills === 0 ? 0 : journalOf(killed).length;
      const { signal } = await sweep(killed, [...args, '--workers', `${1 + (kills % 3)}`], {
        onStart: (child) => {
          const timer = setInterval(() => {
            if (!existsSync(path.join(killed, 'sweep.jsonl'))) return;
            const lines = readFileSync(path.join(killed, 'sweep.jsonl'), 'utf8').split('\n').length - 1;
            if (lines >= linesBefore + 4) child.kill('SIGKILL');
          }, 1);
          child.on('close', () => clearInterval(timer));
        },
      });
      isOver = signal === null;
    }
    expect(kills).toBeGreaterThan(5);
    // No line is missing, and none is there twice.
    expect(contentOf(killed)).toEqual(contentOf(alone));
    expect([winnersHash(together), winnersHash(killed)]).toEqual([winnersHash(alone), winnersHash(alone)]);

    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ status: 'finished', planned: 24, metric: { name: 'validation.accuracy' } });
    expect(result.ranking).toHaveLength(24);
    // The run of the winner is what was tested.
    const { stdout: evaluated } = await nnTrain(['eval', path.join(alone, 'winner'), '--json']);
    expect(JSON.parse(evaluated).test.accuracy).toBe(result.winner.test.accuracy);
    // Its command trains the same weights.
    const words = result.winner.command.replace(OWN_NAME, '').trim().split(' ');
    const again = path.join(folder, 'again');
    await nnTrain([...words, '--out', again, '--quiet']);
    const hash = createHash('sha256')
      .update(readFileSync(path.join(again, 'last.safetensors')))
      .digest('hex');
    expect(hash).toBe(winnersHash(alone));
  });

  it('stopped by Ctrl-C saves, says how to go on, and is shown as it is', async () => {
    const folder = path.join(temporaryFolder(), 'sweep');
    const { code, stdout, stderr } = await nnTrain(['sweep', ...SWEEP, '--out', folder], {
      cwd: path.dirname(folder),
      onStart: (child) => child.stdout!.on('data', (text: string) => text.includes('trial 3') && child.kill('SIGINT')),
    });
    expect(code).toBe(130);
    expect(stdout).toMatch(/^.*sweep: 24 trials by bayes, 9 epochs, compared after 1 and 3/);
    expect(stdout).toMatch(
      /trial 0: epoch 1\/9, val acc [\d.]+ %; lr 0.0011, weight-decay 0.0001, optimizer sgd, momentum 0.9; /,
    );
    expect(stderr).toContain(`stopped and saved; resume with:\n  ${OWN_NAME} sweep --resume ${folder}\n`);
    const shown = await nnTrain(['sweep', 'show', folder, '--json']);
    expect(JSON.parse(shown.stdout)).toMatchObject({ status: 'stopped', winner: null });
    const resumed = await sweep(folder, ['--resume', folder]);
    expect(JSON.parse(resumed.stdout)).toMatchObject({ status: 'finished' });
    expect(existsSync(path.join(folder, 'report.html'))).toBe(true);
  });

  it('that has finished prints its result again, or is extended', async () => {
    const folder = path.join(temporaryFolder(), 'sweep');
    const small = [...QUICK, '--epochs', '1', '--search', 'lr', '--method', 'sobol', '--trials', '4'];
    const first = await sweep(folder, [...small, '--out', folder]);
    const again = await sweep(folder, ['--resume', folder]);
    expect(JSON.parse(again.stdout)).toEqual(JSON.parse(first.stdout));
    const extended = await sweep(folder, [
      '--resume',
      folder,
      '--trials',
      '6',
      '--csv',
      path.join(folder, 'trials.csv'),
    ]);
    expect(JSON.parse(extended.stdout).ranking).toHaveLength(6);
    const csv = readFileSync(path.join(folder, 'trials.csv'), 'utf8').trim().split('\n');
    expect(csv[0]).toBe('place,trial,state,validation.accuracy,deviation,seeds,epochs,lr,seconds');
    expect(csv).toHaveLength(7);
  });

  it('reads the example of the documentation, which options override', async () => {
    const folder = temporaryFolder();
    const [example] = blocksOf(readPage('docs/sweeps.md'), 'yaml');
    writeFileSync(path.join(folder, 'sweep.yaml'), example.text);
    const args = [path.join(folder, 'sweep.yaml'), ...QUICK, '--trials', '3', '--out', path.join(folder, 'sweep')];
    const { code, stderr } = await sweep(folder, args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [header] = journalOf(path.join(folder, 'sweep'));
    expect(header).toMatchObject({
      method: 'bayes',
      metric: 'validation.accuracy',
      halving: 3,
      rungs: [1, 3, 9],
      trials: 3,
      base: { model: 'mlp', recipe: 'plain', epochs: 9, batchSize: 64 },
    });
    expect((header.space as { field: string }[]).map(({ field }) => field)).toEqual(['lr', 'hidden', 'dropout']);
  });

  it('--list prints the command of each trial', async () => {
    const args = [
      ...QUICK,
      '--epochs',
      '2',
      '--search',
      'lr=0.001,0.01',
      '--search',
      'flip',
      '--method',
      'grid',
      '--list',
    ];
    const { stdout, code } = await nnTrain(['sweep', ...args], { cwd: temporaryFolder() });
    expect(code).toBe(0);
    const rest = '--epochs 2 --batch-size 64';
    const limit = '--dataset synthetic --val 100 --train-limit 600';
    expect(stdout.trim().split('\n')).toEqual([
      `${OWN_NAME} --model linear ${rest} --lr 0.001 ${limit}`,
      `${OWN_NAME} --model linear ${rest} --lr 0.001 --no-flip ${limit}`,
      `${OWN_NAME} --model linear ${rest} --lr 0.01 ${limit}`,
      `${OWN_NAME} --model linear ${rest} --lr 0.01 --no-flip ${limit}`,
    ]);
  });
});
