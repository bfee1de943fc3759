import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { scratchFolder } from '../../support/cifar10.ts';
import { nnTrain } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';
import { runMain } from '../../support/in-process.ts';
import { onSmallCifar10 } from '../../support/small-cifar10.ts';

const cwd = scratchFolder();
const SMALL = onSmallCifar10(cwd);
const inScratch = (name: string) => path.join(cwd, name);
const results: Record<string, { validation: { accuracy: number }; test: { accuracy: number } }> = {};

async function trainAs(name: string, ...args: readonly string[]): Promise<void> {
  const { stdout } = await runMain([...SMALL, '--out', inScratch(name), '--json', '--quiet', ...args]);
  results[name] = JSON.parse(stdout);
}

beforeAll(async () => {
  await trainAs('runs/slow', '--epochs', '2', '--lr', '1e-5');
  await trainAs('runs/fast', '--epochs', '2', '--lr', '0.01', '--seed', '1');
  await trainAs('runs/none', '--epochs', '1', '--val', '0');
  await trainAs('runs/diverged', '--epochs', '9', '--lr', '1e6');
  await trainAs('sweeps/one/winner', '--model', 'mlp', '--hidden', '4', '--epochs', '1');
  await trainAs('sweeps/one/other', '--epochs', '1');
  // As an earlier version left it.
  rmSync(inScratch('runs/slow/result.json'));
  mkdirSync(inScratch('runs/not-a-run'));
});

const list = (...args: readonly string[]) => nnTrain(['runs', ...args], { cwd });

describe('nn-train runs', () => {
  it('lists the runs in runs and the winners of sweeps, with what differs, the best first', async () => {
    const { code, stdout, stderr } = await list();
    expect([code, stderr]).toEqual([0, '']);
    const [header, ...rows] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(header.slice(0, 2)).toEqual(['run', 'model']);
    for (const name of ['hidden', 'lr', 'seed', 'val']) expect(header).toContain(name);
    for (const name of ['momentum', 'flip', 'trainLimit', 'dataset']) expect(header).not.toContain(name);
    expect(header.slice(-5)).toEqual(['epochs', 'validation', 'test', 'status', 'saved']);
    const cells = rows.map((row) => Object.fromEntries(header.map((name, i) => [name, row[i]])));
    const names = cells.map(({ run }) => run);
    expect(names.slice(3)).toEqual(['runs/none', 'runs/diverged']);
    const accuracies = names.slice(0, 3).map((name) => results[name].validation.accuracy);
    expect(accuracies).toEqual(accuracies.toSorted((a, b) => b - a));
    const cellsOf = (name: string) => cells[names.indexOf(name)];
    const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
    expect(cellsOf('runs/fast')).toMatchObject({
      model: 'linear',
      hidden: '–',
      lr: '0.01',
      epochs: '2',
      validation: percent(results['runs/fast'].validation.accuracy),
      test: percent(results['runs/fast'].test.accuracy),
      status: 'finished',
    });
    expect(cellsOf('runs/slow')).toMatchObject({ lr: '0.00001', test: '–', status: 'finished' });
    expect(cellsOf('runs/none')).toMatchObject({ validation: '–', status: 'finished' });
    expect(cellsOf('runs/diverged')).toMatchObject({ status: 'diverged', test: '–' });
    expect(cellsOf('sweeps/one/winner')).toMatchObject({ model: 'mlp', hidden: '4' });
    for (const { saved } of cells) expect(saved).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  });

  it('lists the runs and the folders that are given, each run once', async () => {
    const { stdout } = await list('sweeps', 'runs/fast', 'runs/fast/', 'runs/fast/best.safetensors', '--json');
    const runs = JSON.parse(stdout).runs.map(({ run }: { run: string }) => run);
    expect(runs.sort()).toEqual(['runs/fast', 'sweeps/one/other', 'sweeps/one/winner']);
  });

  it('prints one JSON object, and writes a CSV file with every hyperparameter', async () => {
    const { code, stdout, stderr } = await list('runs/fast', 'runs/diverged', '--json', '--csv', 'runs.csv');
    expect([code, stderr]).toEqual([0, '']);
    const { runs } = JSON.parse(stdout);
    expect(runs).toMatchObject(
      [{ ...results['runs/fast'], run: 'runs/fast', status: 'finished' }, { status: 'diverged' }].map(
        ({ environment, imagesPerSecond, stopped, ...rest }: Record<string, unknown>) => rest,
      ),
    );
    const [header, ...lines] = readFileSync(inScratch('runs.csv'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.split(','));
    const [fast, diverged] = lines.map((line) => Object.fromEntries(header.map((name, i) => [name, line[i]])));
    expect(Object.keys(fast)).toEqual(expect.arrayContaining(['hidden', 'lr', 'momentum', 'trainLimit']));
    expect(fast).toMatchObject({ run: 'runs/fast', lr: '0.01', hidden: '', status: 'finished' });
    expect(Number(fast.testAccuracy)).toBe(results['runs/fast'].test.accuracy);
    expect(diverged).toMatchObject({ status: 'diverged', testAccuracy: '', lr: '1000000' });
  });

  it('fits a narrow terminal', async () => {
    const { stdout } = await runMain(['runs', inScratch('runs')], {}, 40);
    expect(stdout).toContain('validation');
    const paths = stdout.split('\n').filter((line) => line.length > 40);
    for (const line of paths) expect(line).toContain(cwd);
  });

  it('names the runs on other images, and says that they do not compare', async () => {
    const folder = temporaryFolder();
    const copy = async (name: string, sha256: string) => {
      const out = path.join(folder, name);
      await runMain([...SMALL, '--epochs', '1', '--out', out, '--quiet']);
      const file = path.join(out, 'config.json');
      const record = JSON.parse(readFileSync(file, 'utf8'));
      writeFileSync(file, JSON.stringify({ ...record, dataset: { ...record.dataset, sha256 } }));
    };
    await copy('a', 'a'.repeat(64));
    await copy('b', 'b'.repeat(64));
    const { stdout, stderr } = await runMain(['runs', folder]);
    expect(stderr).toBe(
      'note: these runs were trained on 2 different sets of images; compare accuracies only within a set\n',
    );
    expect(stdout).toMatch(/cifar10 aaaaaaaa[\s\S]*cifar10 bbbbbbbb/);
  });

  it('leaves out a damaged run with a note, unless it is the only one', async () => {
    const folder = temporaryFolder();
    for (const name of ['whole', 'torn', 'wrong']) {
      await runMain([...SMALL, '--epochs', '1', '--out', path.join(folder, name), '--quiet']);
    }
    writeFileSync(path.join(folder, 'torn/last.safetensors'), 'short');
    writeFileSync(path.join(folder, 'wrong/config.json'), '{}');
    const { code, stdout, stderr } = await runMain(['runs', folder, '--json']);
    expect([code, JSON.parse(stdout).runs.length]).toEqual([0, 1]);
    expect(stderr).toMatch(/^note: left out: .*torn.*last\.safetensors is not a safetensors file: it has 5 bytes/m);
    expect(stderr).toMatch(/^note: left out: .*wrong.*config\.json does not describe a run/m);
    expect((await runMain(['runs', path.join(folder, 'torn')])).code).toBe(1);
  });

  it('says that there are none', async () => {
    const empty = temporaryFolder();
    const byDefault = await nnTrain(['runs'], { cwd: empty });
    expect([byDefault.code, byDefault.stdout]).toEqual([0, '']);
    expect(byDefault.stderr).toMatch(
      /^note: there are no saved runs in runs, nor in sweeps\/\*\/winner; .* saves one\n$/,
    );
    expect((await runMain(['runs', empty, '--json'])).stdout).toBe('{"runs":[]}\n');
    const missing = await runMain(['runs', '/nowhere']);
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('/nowhere is not a run directory')]);
    const name = await runMain(['runs', empty, '--csv', 'runs.xlsx']);
    expect(name.stderr).toBe('error: --csv writes CSV, got runs.xlsx; name it runs.csv\n');
  });
});
