import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodePng } from '../../src/pictures/encode.ts';
import { writeBatchFiles } from '../support/cifar10.ts';
import { QUICK } from '../support/cli.ts';
import { temporaryFolder } from '../support/files.ts';
import { runMain } from '../support/in-process.ts';
import { readPage, sectionOf } from '../support/markdown.ts';

const PAGE = readPage('docs/scripting.md');
/** Objects whose keys are described elsewhere, or are names of classes, checks and weights. */
const OPAQUE = ['config', 'environment', 'probabilities', 'numbers', 'updateRatios'];

/** The keys of some JSON at any depth. */
function keysOf(json: unknown): Set<string> {
  if (Array.isArray(json)) return new Set(json.flatMap((item) => [...keysOf(item)]));
  if (typeof json !== 'object' || json === null) return new Set();
  const entries = Object.entries(json);
  return new Set([
    ...entries.map(([key]) => key),
    ...entries.flatMap(([key, value]) => (OPAQUE.includes(key) ? [] : [...keysOf(value)])),
  ]);
}

/** The keys that a section of scripting.md does not name, nor the sections that it refers to. */
function undocumented(json: unknown, ...headings: readonly string[]): string[] {
  const names = new Set(
    headings
      .flatMap((heading) => sectionOf(PAGE, heading).match(/[\w[\].]+(?=[`"])/g) ?? [])
      .map((name) => name.split('.').at(-1)),
  );
  return [...keysOf(json)].filter((key) => !names.has(key));
}

async function jsonOf(...args: readonly string[]): Promise<unknown> {
  const { stdout, stderr } = await runMain([...args, '--json']);
  expect(stdout, stderr).not.toBe('');
  return JSON.parse(stdout);
}

describe('docs/scripting.md', () => {
  it('names every field of a run and of the commands that read it', async () => {
    const folder = temporaryFolder();
    const [run, log, picture] = ['run', 'log.jsonl', 'picture.png'].map((name) => path.join(folder, name));
    writeFileSync(picture, encodePng(new Uint8Array(3 * 40 * 40), 40, 40));
    const trained = await jsonOf(
      '--model',
      'mlp',
      '--hidden',
      '8',
      '--epochs',
      '1',
      ...QUICK,
      '--out',
      run,
      '--log',
      log,
    );
    expect(undocumented(trained, 'Training')).toEqual([]);
    const diverged = await jsonOf(...QUICK, '--lr', '1e6', '--no-save');
    expect(diverged).toMatchObject({ status: 'diverged', test: null, config: { lr: 1e6 } });
    expect(undocumented(diverged, 'Training')).toEqual([]);
    expect(undocumented((trained as { environment: object }).environment, 'Environment')).toEqual([]);
    expect(undocumented(await jsonOf('runs', run), 'runs', 'Training')).toEqual([]);
    expect(undocumented(await jsonOf('eval', run, '--views', '2'), 'eval', 'Training')).toEqual([]);
    expect(undocumented(await jsonOf('predict', run, picture, '/nowhere.png'), 'predict', 'eval', 'Training')).toEqual(
      [],
    );
    expect(undocumented(await jsonOf('explain', '--model', 'mlp', run), 'explain --model')).toEqual([]);
  });

  it('names every field of explain', async () => {
    expect(undocumented(await jsonOf('explain', 'norm2(W*x)', 'W=[[1,2],[3,4]]', 'x=[1,2]'), 'explain')).toEqual([]);
  });

  it('names every field of the checks', async () => {
    const config = ['--dataset', 'synthetic', '--model', 'mlp', '--hidden', '8'];
    expect(undocumented(await jsonOf('gradcheck', ...config), 'gradcheck')).toEqual([]);
    expect(undocumented(await jsonOf('doctor', ...config), 'doctor')).toEqual([]);
  });

  it('names every field of the data commands', async () => {
    const folder = writeBatchFiles(temporaryFolder());
    expect(undocumented(await jsonOf('data', 'info', folder), 'data info')).toEqual([]);
    expect(undocumented(await jsonOf('data', 'verify', folder), 'data verify', 'data info')).toEqual([]);
  });

  it('names every field of bench', async () => {
    expect(undocumented(await jsonOf('bench', '--seconds', '0.01', '--threads', '1'), 'bench')).toEqual([]);
  });
});
