import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DoctorResult } from '../../../src/cli/check/doctor-text.ts';
import { nnTrain, QUICK } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';

const CHECKS = [
  'origin',
  'classes',
  'duplicates',
  'pixels',
  'initial loss',
  'regularisation',
  'overfitting',
  'gradients',
  'learning rate',
  'loss curve',
  'updates',
  'labels',
  'test images',
];

describe('doctor', () => {
  it('shows every check, and exits with 0 if nothing is bad', async () => {
    const { code, stdout, stderr } = await nnTrain(['doctor', '--dataset', 'synthetic']);
    expect([code, stderr]).toEqual([0, '']);
    for (const name of CHECKS) expect(stdout).toMatch(new RegExp(`^✓ ${name} `, 'm'));
    expect(stdout).toMatch(/13 ok, 0 warnings, 0 bad, .* s; on synthetic images, not CIFAR-10\n$/);
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('exits with 1 if a finding is bad, and gives advice', async () => {
    const { code, stdout } = await nnTrain(['doctor', '--dataset', 'synthetic', '--lr', '0.00003']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^✗ learning rate {3}initial loss/m);
    expect(stdout.replace(/\s+/g, ' ')).toMatch(/→ bad: about 1000? times too low; try --lr 0.03?/);
  });

  it('--json prints one object with a finding for each check', async () => {
    const args = [
      'doctor',
      ...QUICK,
      '--model',
      'mlp',
      '--recipe',
      'plain',
      '--hidden',
      '16',
      '--activation',
      'tanh',
      '--lr',
      '10',
      '--json',
    ];
    const { code, stdout, stderr } = await nnTrain(args);
    expect([code, stderr]).toEqual([1, '']);
    const result: DoctorResult = JSON.parse(stdout);
    expect(result).toMatchObject({ model: 'mlp', dataset: 'synthetic', run: null, verdict: 'bad', config: { lr: 10 } });
    expect(result.findings.map(({ name }) => name)).toEqual(CHECKS.toSpliced(11, 0, 'hidden units'));
    for (const { verdict, evidence, advice, numbers } of result.findings) {
      expect(['ok', 'warning', 'bad']).toContain(verdict);
      expect([evidence, numbers]).toEqual([expect.any(String), expect.any(Object)]);
      expect(typeof advice).toBe(verdict === 'ok' ? 'object' : 'string');
    }
    expect(result.findings.find(({ name }) => name === 'learning rate')).toMatchObject({ verdict: 'bad' });
  });

  it('examines a run with its weights and curves', async () => {
    const run = path.join(temporaryFolder(), 'run');
    expect((await nnTrain([...QUICK, '--epochs', '3', '--out', run])).code).toBe(0);
    const { code, stdout, stderr } = await nnTrain(['doctor', run, '--json']);
    expect([code, stderr]).toEqual([0, '']);
    const { findings, run: shown }: DoctorResult = JSON.parse(stdout);
    expect(shown).toBe(run);
    expect(findings.map(({ name }) => name)).toEqual(CHECKS.toSpliced(4, 0, 'run curves', 'run weights'));
    const [curves, weights] = findings.slice(4);
    expect(curves.numbers.epochs).toBe(3);
    // Evaluating the weights again must give the logged accuracy.
    expect(weights.numbers.accuracy).toBe(weights.numbers.recorded);

    const refused = await nnTrain(['doctor', run, '--hidden', '3', '--config', 'x.json']);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      `error: the configuration comes from the run ${run}; leave out --hidden, --config\n`,
    ]);
  });

  it('exits with 130 on Ctrl-C', async () => {
    const { code, stdout } = await nnTrain(['doctor', '--dataset', 'synthetic', '--model', 'mlp'], {
      signalItself: { signal: 'SIGINT', text: 'initial loss' },
    });
    expect(code).toBe(130);
    expect(stdout).not.toContain('bad,');
  });
});
