import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { nnTrain, QUICK } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';

const linesOf = (file: string) => readFileSync(file, 'utf8').trimEnd().split('\n');

describe('a run', () => {
  it('prints its configuration, a line for each epoch, the result and its folder', async () => {
    const cwd = temporaryFolder();
    const { code, stdout, stderr } = await nnTrain([...QUICK, '--recipe', 'plain', '--epochs', '2'], { cwd });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('synthetic stand-in');
    expect(stdout).toContain('600 training, 100 validation and 2,000 test images');
    expect(stdout).toContain('linear.weight [10, 3072], linear.bias [10]');
    expect(stdout).toContain('30,730 parameters');
    expect(stdout).toMatch(/wasm \(int16, \d+ threads?, (128|256)-bit SIMD\)/);
    expect(stdout.match(/^ +[12]\/2( +\d+\.\d{4} +\d+\.\d\d %){2} .*$/gm)).toHaveLength(2);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.at(-1)).toBe('These are results on the synthetic stand-in images, not on CIFAR-10.');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    const [, run] = stdout.match(/^saved +(runs\/linear-\d{8}-\d{6})\nreport +\1\/report\.html$/m)!;
    expect(readdirSync(path.join(cwd, run)).sort()).toEqual([
      'best.safetensors',
      'config.json',
      'last.safetensors',
      'metrics.jsonl',
      'report.html',
      'result.json',
      'steps.jsonl',
      'times.json',
    ]);
    expect(readdirSync(path.join(cwd, 'runs'))).toHaveLength(1);
  });

  it('prints exactly one JSON object with --json, and everything else on stderr', async () => {
    const cwd = temporaryFolder();
    const args = [...QUICK, '--model', 'mlp', '--hidden', '8', '--epochs', '2', '--seed', '3', '--out', 'it', '--json'];
    const { code, stdout, stderr } = await nnTrain(args, { cwd });
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    const metrics = { loss: expect.any(Number), accuracy: expect.any(Number) };
    expect(JSON.parse(stdout)).toEqual({
      status: 'finished',
      model: 'mlp',
      dataset: 'synthetic',
      seed: 3,
      epochs: 2,
      bestEpoch: expect.toSatisfy((epoch) => epoch === 1 || epoch === 2),
      train: metrics,
      validation: metrics,
      test: metrics,
      seconds: expect.any(Number),
      imagesPerSecond: expect.any(Number),
      run: 'it',
      name: null,
      config: expect.objectContaining({ recipe: 'fast', hidden: 8, optimizer: 'muon', dataset: 'synthetic' }),
      environment: expect.objectContaining({ backend: 'wasm', node: process.version }),
    });
    expect(stderr).toMatch(/^ +2\/2 /m);
    expect(stderr).toContain('not on CIFAR-10');
  });

  it('saves nothing with --no-save, and prints only the results with --quiet', async () => {
    const cwd = temporaryFolder();
    const { code, stdout, stderr } = await nnTrain([...QUICK, '--epochs', '1', '--no-save', '--quiet'], { cwd });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^test +loss \d\.\d{4}, accuracy \d+\.\d\d %, 1 epoch in .+\nThese are results .*\n$/);
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('prints plain text without a terminal unless colours are forced', async () => {
    const args = [...QUICK, '--epochs', '1', '--no-save'];
    const escapeCode = String.fromCharCode(27);
    expect((await nnTrain(args)).stdout).not.toContain(escapeCode);
    expect((await nnTrain(args, { env: { FORCE_COLOR: '1' } })).stdout).toContain(escapeCode);
    expect((await nnTrain(args, { env: { FORCE_COLOR: '1', NO_COLOR: '1' } })).stdout).not.toContain(escapeCode);
  });

  it('logs JSON lines that name model, dataset and seed, for many runs in one file', async () => {
    const cwd = temporaryFolder();
    for (const seed of ['4', '5']) {
      const args = [...QUICK, '--epochs', '2', '--seed', seed, '--no-save', '--log', 'log.jsonl'];
      expect((await nnTrain(args, { cwd })).code).toBe(0);
    }
    const records = linesOf(path.join(cwd, 'log.jsonl')).map((line) => JSON.parse(line));
    expect(records.map(({ type }) => type)).toEqual(
      [1, 2].flatMap(() => ['run-started', 'epoch-ended', 'epoch-ended', 'run-ended']),
    );
    for (const [i, record] of records.entries()) {
      expect(record).toMatchObject({ model: 'linear', dataset: 'synthetic', seed: i < 4 ? 4 : 5 });
    }
  });

  it('keeps a line for each epoch in metrics.jsonl, and the configuration in config.json', async () => {
    const cwd = temporaryFolder();
    await nnTrain([...QUICK, '--epochs', '3', '--out', 'run'], { cwd });
    const metrics = linesOf(path.join(cwd, 'run/metrics.jsonl')).map((line) => JSON.parse(line));
    expect(metrics.map(({ epoch, step, dataset }) => [epoch, step, dataset])).toEqual([
      [1, 10, 'synthetic'],
      [2, 20, 'synthetic'],
      [3, 30, 'synthetic'],
    ]);
    const { config, dataset, environment } = JSON.parse(readFileSync(path.join(cwd, 'run/config.json'), 'utf8'));
    expect(config).toMatchObject({ model: 'linear', epochs: 3, seed: 0, val: 100 });
    expect(dataset).toEqual({
      name: 'synthetic',
      source: 'generated',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      images: { train: 10_000, test: 2000 },
    });
    expect(environment.version).toMatch(/^\d+\.\d+\.\d+/);
    // The configuration of a run reproduces it.
    const again = await nnTrain(['--config', 'run/config.json', '--out', 'again', '--quiet'], { cwd });
    expect(again.code).toBe(0);
    const weights = (run: string) => readFileSync(path.join(cwd, run, 'last.safetensors'));
    expect(weights('again').equals(weights('run'))).toBe(true);
  });

  it('never writes into an existing folder', async () => {
    const cwd = temporaryFolder();
    await nnTrain([...QUICK, '--epochs', '1', '--out', 'run'], { cwd });
    const before = readFileSync(path.join(cwd, 'run/last.safetensors'));
    const { code, stderr } = await nnTrain([...QUICK, '--epochs', '1', '--seed', '1', '--out', 'run'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toBe(
      'error: run already exists and is kept; set --out to another folder, or continue that run with --resume run\n',
    );
    expect(readFileSync(path.join(cwd, 'run/last.safetensors'))).toEqual(before);
  });

  it('gives runs that start in the same second separate folders', async () => {
    const cwd = temporaryFolder();
    const args = [...QUICK, '--epochs', '1', '--quiet'];
    const codes = await Promise.all([nnTrain(args, { cwd }), nnTrain(args, { cwd }), nnTrain(args, { cwd })]);
    expect(codes.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(readdirSync(path.join(cwd, 'runs'))).toHaveLength(3);
  });
});
