import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ReportData } from '../../../src/report/report-data.ts';
import { scratchFolder } from '../../support/cifar10.ts';
import { nnTrain, OWN_NAME } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';
import { onSmallCifar10 } from '../../support/small-cifar10.ts';

const SMALL = onSmallCifar10(scratchFolder());

/** The data embedded in a page. */
function dataOf(...file: string[]): ReportData {
  const html = readFileSync(path.join(...file), 'utf8');
  return JSON.parse(html.match(/<script type="application\/json" id="data">(.*?)<\/script>/s)![1]);
}

async function trainedIn(cwd: string, name: string, ...more: string[]) {
  const { stdout } = await nnTrain([...SMALL, '--epochs', '2', '--out', name, '--json', ...more], { cwd });
  return JSON.parse(stdout);
}

const trained = scratchFolder();
let result: { readonly test: object; readonly bestEpoch: number };

beforeAll(async () => {
  const { test, bestEpoch } = await trainedIn(trained, 'run');
  result = { test, bestEpoch };
});

/** A folder with a copy of one run. */
function folderWithRun(): string {
  const cwd = temporaryFolder();
  cpSync(trained, cwd, { recursive: true });
  return cwd;
}

/** Changes the record of a run to name images that no longer exist. */
function loseImages(run: string): void {
  const file = path.join(run, 'config.json');
  const record = JSON.parse(readFileSync(file, 'utf8'));
  record.dataset = { ...record.dataset, name: 'cifar10', source: '/nowhere/cifar-10-batches-bin' };
  writeFileSync(file, JSON.stringify(record));
}

describe('the report of a run', () => {
  it('is written when training ends, and can be rebuilt byte for byte', async () => {
    const cwd = folderWithRun();
    const page = readFileSync(path.join(cwd, 'run/report.html'));
    const data = dataOf(cwd, 'run/report.html');
    expect(data.generator).toMatch(/^nn-train \d/);
    expect(data.runs).toMatchObject([{ name: 'run', state: 'finished', ...result, epochs: [{}, {}] }]);
    rmSync(path.join(cwd, 'run/report.html'));
    const { code, stdout, stderr } = await nnTrain(['report', 'run'], { cwd });
    expect([code, stdout, stderr]).toEqual([0, 'run/report.html\n', '']);
    expect(readFileSync(path.join(cwd, 'run/report.html')).equals(page)).toBe(true);
  });

  it('is written when training is interrupted', async () => {
    const cwd = temporaryFolder();
    const signalItself = { signal: 'SIGINT', text: ' 3/5000 ' } as const;
    const options = { cwd, signalItself, isPatient: true };
    const { code } = await nnTrain([...SMALL, '--epochs', '5000', '--out', 'run'], options);
    expect(code).toBe(130);
    const [run] = dataOf(cwd, 'run/report.html').runs;
    expect([run.state, run.plannedEpochs, run.resumeCommand]).toEqual(['stopped', 5000, `${OWN_NAME} --resume run`]);
    expect(run.test!.images).toBe(200);
    expect(run.steps.step.at(-1)).toBeGreaterThanOrEqual(30);
    const { stdout } = await nnTrain(['eval', 'run', '--json'], { cwd });
    expect(JSON.parse(stdout).test.accuracy).toBe(run.test!.accuracy);
  });

  it('does not fail the run if it cannot be written', async () => {
    const cwd = folderWithRun();
    // A folder in place of the file.
    rmSync(path.join(cwd, 'run/report.html'));
    mkdirSync(path.join(cwd, 'run/report.html/inside'), { recursive: true });
    const { code, stdout, stderr } = await nnTrain(['--resume', 'run', '--json'], { cwd });
    expect(code).toBe(0);
    expect(JSON.parse(stdout).run).toBe('run');
    expect(stderr).toMatch(/^note: cannot write the report: cannot write run\/report\.html: /m);
    expect(stderr).not.toMatch(/^report /m);
    expect(readdirSync(path.join(cwd, 'run')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('works for runs of earlier versions, which recorded no steps', async () => {
    const cwd = folderWithRun();
    rmSync(path.join(cwd, 'run/steps.jsonl'));
    expect((await nnTrain(['report', 'run'], { cwd })).code).toBe(0);
    const [run] = dataOf(cwd, 'run/report.html').runs;
    expect([run.epochs.length, run.steps.step]).toEqual([2, []]);
  });

  it('is built without test results if the images no longer exist, with a note', async () => {
    const cwd = folderWithRun();
    loseImages(path.join(cwd, 'run'));
    const { code, stdout, stderr } = await nnTrain(['report', 'run', '--out', 'page.html'], { cwd });
    expect([code, stdout]).toEqual([0, 'page.html\n']);
    expect(stderr).toBe(
      'note: the images of run are no longer in /nowhere/cifar-10-batches-bin; give their new path with --data PATH; ' +
        'the report has no test results\n',
    );
    const [run] = dataOf(cwd, 'page.html').runs;
    expect([run.test, run.epochs.length, run.pictures!.pictures.length]).toEqual([null, 2, 10]);
    const named = await nnTrain(['report', 'run', '--data', 'elsewhere'], { cwd });
    expect([named.code, named.stdout]).toEqual([3, '']);
    expect(named.stderr).toContain('elsewhere');
  });
});

describe('the report of several runs', () => {
  it('compares runs of any model, in ./report.html or the file of --out', async () => {
    const cwd = temporaryFolder();
    const linear = await trainedIn(cwd, 'a');
    const mlp = await trainedIn(
      cwd,
      'b',
      '--model',
      'mlp',
      '--recipe',
      'plain',
      '--hidden',
      '8',
      '--precision',
      'float32',
    );
    expect((await nnTrain(['report', 'a', 'b'], { cwd })).stdout).toBe('report.html\n');
    const { runs } = dataOf(cwd, 'report.html');
    expect(runs.map(({ name, test }) => [name, test!.loss])).toEqual([
      ['a', linear.test.loss],
      ['b', mlp.test.loss],
    ]);
    await nnTrain(['report', 'b', 'a', '--out', 'other.html'], { cwd });
    expect(dataOf(cwd, 'other.html').runs.map(({ name }) => name)).toEqual(['b', 'a']);
  });
});

describe('the report of several runs, some without a completed epoch', () => {
  it('leaves these out with a note, and fails if none is left', async () => {
    const cwd = folderWithRun();
    for (const name of ['short', 'shorter']) {
      // Diverges in its first epoch.
      await nnTrain([...SMALL, '--lr', '1e30', '--epochs', '1', '--out', name], { cwd });
    }
    const note = (name: string) => `note: ${name} has no completed epoch; left out of the comparison\n`;
    const { code, stdout, stderr } = await nnTrain(['report', 'short', 'run'], { cwd });
    expect([code, stdout, stderr]).toEqual([0, 'report.html\n', note('short')]);
    expect(dataOf(cwd, 'report.html').runs.map(({ name }) => name)).toEqual(['run']);
    const none = await nnTrain(['report', 'short', 'shorter', '--out', 'none.html'], { cwd });
    expect([none.code, none.stdout]).toEqual([1, '']);
    expect(none.stderr).toMatch(/^note: short .*\nnote: shorter .*\nerror: none of the runs has a completed epoch, /);
    expect(readdirSync(cwd)).not.toContain('none.html');
  });
});

describe('a report that cannot be built', () => {
  it('prints one message', async () => {
    const cwd = temporaryFolder();
    const report = async (...args: string[]) => {
      const { code, stdout, stderr } = await nnTrain(['report', ...args], { cwd });
      expect(stdout).toBe('');
      return [code, stderr];
    };
    mkdirSync(path.join(cwd, 'empty'));
    expect(await report('empty')).toEqual([2, expect.stringMatching(/^error: empty is not a run directory: .*\n$/)]);
    expect(await report('gone')).toEqual([2, expect.stringMatching(/^error: gone is not a run directory: .*\n$/)]);
    expect(await report()).toEqual([2, expect.stringContaining("missing required argument 'runs'")]);
    await nnTrain([...SMALL, '--lr', '1e30', '--epochs', '1', '--out', 'diverged'], { cwd });
    expect(await report('diverged')).toEqual([1, expect.stringMatching(/^error: diverged has not finished an epoch/)]);
    await trainedIn(cwd, 'run');
    expect(await report('run', '--out', '')).toEqual([2, 'error: --out must name a file, got an empty string\n']);
    expect(await report('run', '--out', 'no/page.html')).toEqual([
      1,
      'error: cannot write no/page.html: no such file or folder\n',
    ]);
  });
});
