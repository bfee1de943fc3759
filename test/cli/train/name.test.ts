import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { nnTrain, QUICK } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';
import { runMain } from '../../support/in-process.ts';

describe('--name', () => {
  it('is in the name of the folder, in config.json, the header, the JSON, the report and the list of runs', async () => {
    const cwd = temporaryFolder();
    const name = 'Wide & <deep>: 50 %';
    const { code, stdout, stderr } = await nnTrain([...QUICK, '--epochs', '1', '--name', name, '--json'], { cwd });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^name {3}Wide & <deep>: 50 %$/m);
    const { run, ...result } = JSON.parse(stdout);
    expect([run, result.name]).toEqual([expect.stringMatching(/^runs\/linear-Wide-deep-50-\d{8}-\d{6}$/), name]);
    expect(JSON.parse(readFileSync(path.join(cwd, run, 'config.json'), 'utf8')).name).toBe(name);
    const report = readFileSync(path.join(cwd, run, 'report.html'), 'utf8');
    const data = JSON.parse(report.match(/<script type="application\/json" id="data">(.*?)<\/script>/s)![1]);
    expect(data.runs[0]).toMatchObject({ name: run, title: name });
    expect((await nnTrain(['runs'], { cwd })).stdout).toContain(`  ${name}  `);
    const again = await nnTrain(['--resume', run, '--json', '--quiet'], { cwd });
    expect(JSON.parse(again.stdout).name).toBe(name);
    const renamed = await nnTrain(['--resume', run, '--name', 'other'], { cwd });
    expect([renamed.code, renamed.stderr]).toEqual([2, expect.stringContaining('leave out --name')]);
  });

  it('leaves the folder of --out as it is, and names a run that is not saved', async () => {
    const cwd = temporaryFolder();
    const args = [...QUICK, '--epochs', '1', '--name', 'second', '--json', '--quiet'];
    expect(JSON.parse((await nnTrain([...args, '--out', 'here'], { cwd })).stdout)).toMatchObject({
      run: 'here',
      name: 'second',
    });
    expect(JSON.parse((await nnTrain([...args, '--no-save'], { cwd })).stdout)).toMatchObject({
      run: null,
      name: 'second',
    });
    expect(readdirSync(cwd)).toEqual(['here']);
  });

  it.each([[''], ['  '], ['two\nlines'], ['a'.repeat(101)]])('refuses %j', async (name) => {
    const { code, stderr } = await runMain([...QUICK, '--no-save', '--name', name]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('--name must be a text of 1 to 100 characters in one line, got '),
    ]);
  });
});
