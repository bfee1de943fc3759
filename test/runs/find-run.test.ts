import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { findRun, weightsNamedBy } from '../../src/runs/find-run.ts';
import { temporaryFolder } from '../support/files.ts';

let runs: string;

/** Makes what looks like a run, saved at a time in seconds. */
function makeRun(name: string, time: number): string {
  const folder = path.join(runs, name);
  mkdirSync(folder);
  for (const file of ['config.json', 'last.safetensors', 'best.safetensors', 'report.html']) {
    writeFileSync(path.join(folder, file), '');
    utimesSync(path.join(folder, file), time, time);
  }
  return folder;
}

beforeEach(() => {
  // In a folder of its own: the temporary folder may hold runs of somebody else.
  runs = path.join(temporaryFolder(), 'runs');
  mkdirSync(runs);
});

const refusal = (given: string) =>
  findRun(given).then(
    () => 'found',
    (error: Error) => error.message,
  );

it('finds a run from its folder and from every file in it', async () => {
  const run = makeRun('mlp', 1);
  for (const given of [run, `${run}${path.sep}`]) expect(path.resolve(await findRun(given))).toBe(run);
  for (const file of ['config.json', 'last.safetensors', 'best.safetensors', 'report.html']) {
    expect(await findRun(path.join(run, file))).toBe(run);
  }
  expect(
    ['best.safetensors', 'last.safetensors', 'report.html'].map((file) => weightsNamedBy(path.join(run, file))),
  ).toEqual(['best', 'last', undefined]);
});

it('says what a path is instead, and which runs are nearby', async () => {
  const missing = path.join(runs, 'linear-20261124');
  expect(await refusal(missing)).toBe(
    `${missing} is not a run directory: there is no such folder; give the directory that training printed as "saved", such as runs/linear-20261124-091500`,
  );
  const all = ['first', 'second', 'third', 'fourth'].map(makeRun);
  expect(await refusal(missing)).toBe(
    `${missing} is not a run directory: there is no such folder; the latest runs nearby are ${[3, 2, 1].map((i) => all[i]).join(', ')}`,
  );
  expect(await refusal(runs)).toContain(
    `has no config.json and no last.safetensors; the latest runs nearby are ${all[3]}`,
  );
  const linear = makeRun('linear-20261123', 0);
  expect(await refusal(missing)).toBe(
    `${missing} is not a run directory: there is no such folder. Did you mean '${linear}'?`,
  );
  const picture = path.join(runs, 'cat.jpg');
  writeFileSync(picture, '');
  expect(await refusal(picture)).toContain(
    `${picture} is not a run directory: it is a file, and not one of a run; the latest`,
  );
});
