import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { findRuns } from '../../../src/runs/saved/find-runs.ts';
import { temporaryFolder } from '../../support/files.ts';

function makeRun(...names: readonly string[]): string {
  const folder = path.join(...names);
  mkdirSync(folder, { recursive: true });
  for (const file of ['config.json', 'last.safetensors']) writeFileSync(path.join(folder, file), '');
  return folder;
}

it('finds runs down to two levels, by name, but none within a run and none that is being created', async () => {
  const folder = temporaryFolder();
  const wanted = [makeRun(folder, 'a/seed-0'), makeRun(folder, 'a/seed-1'), makeRun(folder, 'b'), makeRun(folder, 'c')];
  makeRun(folder, 'b/inside');
  makeRun(folder, 'd/too/deep');
  makeRun(folder, 'e.123-0a0b0c0d.tmp');
  mkdirSync(path.join(folder, 'empty'));
  writeFileSync(path.join(folder, 'file'), '');
  expect(await findRuns(folder)).toEqual(wanted);
  expect(await findRuns(path.join(folder, 'b'))).toEqual([wanted[2]]);
  expect(await findRuns(path.join(folder, 'b/config.json'))).toEqual([wanted[2]]);
  expect(await findRuns(path.join(folder, 'empty'))).toEqual([]);
});

it.skipIf(process.platform === 'win32')('follows links, and ends in a circle of them', async () => {
  const folder = temporaryFolder();
  const run = makeRun(folder, 'elsewhere/run');
  mkdirSync(path.join(folder, 'runs'));
  symlinkSync(run, path.join(folder, 'runs/link'));
  symlinkSync(path.join(folder, 'runs'), path.join(folder, 'runs/circle'));
  const found = await findRuns(path.join(folder, 'runs'));
  expect(found).toEqual([path.join(folder, 'runs/circle/link'), path.join(folder, 'runs/link')]);
});

it('refuses what is neither a folder nor in a run', async () => {
  const folder = temporaryFolder();
  await expect(findRuns(path.join(folder, 'nowhere'))).rejects.toThrow(UsageError);
  writeFileSync(path.join(folder, 'file'), '');
  await expect(findRuns(path.join(folder, 'file'))).rejects.toThrow('it is a file, and not one of a run');
});
