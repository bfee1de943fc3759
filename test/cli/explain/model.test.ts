import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NetworkData } from '../../../src/explorer/network/network-data.ts';
import { scratchFolder } from '../../support/cifar10.ts';
import { nnTrain, QUICK } from '../../support/cli.ts';

const scratch = scratchFolder();
const explain = (...args: string[]) => nnTrain(['explain', ...args], { cwd: scratch });

describe('explain --model', () => {
  it('shows the cost of a step of the linear classifier, without a download', async () => {
    const { code, stdout, stderr } = await explain('--model', 'linear', '--batch-size', '100', '--json');
    expect([code, stderr]).toEqual([0, '']);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({
      model: 'linear',
      run: null,
      dataset: 'synthetic',
      batchSize: 100,
      parameters: 30730,
    });
    expect(result.flops.forward).toBe(2 * 100 * 3072 * 10 + 100 * 10 + 100 * 10);
    expect(result.memory.optimizer).toBe(4 * 30730);
    const logits = result.wires.find(({ name }: { name: string }) => name === 'logits');
    expect(logits.shape).toEqual([100, 10]);
    expect(logits.meanGradient).toBeGreaterThan(0);
    expect(result.wires.find(({ name }: { name: string }) => name === 'images').meanGradient).toBeNull();
  });

  it('explains the graph at the weights of a run, as text and as a drawing', async () => {
    const run = path.join(scratch, 'run');
    const training = await nnTrain([
      '--model',
      'mlp',
      '--recipe',
      'plain',
      '--hidden',
      '7',
      ...QUICK,
      '--epochs',
      '1',
      '--out',
      run,
    ]);
    expect(training.code, training.stderr).toBe(0);
    const { code, stdout, stderr } = await explain('--model', 'mlp', run, '--svg', 'graph.svg', '--html', 'graph.html');
    expect([code, stderr]).toEqual([0, 'wrote graph.svg\nwrote graph.html\n']);
    expect(stdout).toMatch(/^fc1\.weight +\[7, 3072\] +86\.0 kB +0\.\d+ +\S+$/m);
    expect(stdout).toMatch(/of 7 units \(\d+\.\d\d %\) are zero for every image of the batch/);
    expect(stdout.split('\n').every((line) => line.length <= 80 || line.includes(run))).toBe(true);
    const read = (file: string) => readFileSync(path.join(scratch, file), 'utf8');
    for (const text of ['fc1.weight', '21,504 parameters', '[7, 3072]', 'softmax cross-entropy']) {
      expect(read('graph.svg')).toContain(text);
    }
    const [, json] = read('graph.html').match(/<script type="application\/json" id="data">(.*)<\/script>/)!;
    const data: NetworkData = JSON.parse(json);
    expect(data.title).toContain(`Two-layer network of ${run}, step `);
    expect(data.facts.map(([term]) => term)).toEqual(['weights', 'batch', 'compute', 'memory', 'hidden']);
    const weight = data.wires.find(({ name }) => name === 'fc1.weight')!;
    expect(stdout).toContain(weight.meanValue!.toPrecision(3));
    expect(weight.filters!.shown).toHaveLength(7);
    expect(data.examples.length).toBeGreaterThan(0);

    const other = await explain('--model', 'linear', run);
    expect([other.code, other.stderr]).toEqual([
      2,
      `error: ${run} is a run of --model mlp, got --model linear; set --model mlp\n`,
    ]);
    const alone = await explain(run);
    expect([alone.code, alone.stderr]).toEqual([2, `error: ${run} is a run, not an expression; add --model mlp\n`]);
    const changed = await explain('--model', 'mlp', run, '--lr', '1');
    expect([changed.code, changed.stderr]).toEqual([
      2,
      `error: the configuration comes from the run ${run}; leave out --lr\n`,
    ]);
  });

  it('says in one line what is wrong with a run, and writes no page then', async () => {
    const missing = await explain('--model', 'mlp', 'nowhere', '--html', 'missing.html');
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringMatching(/^error: [^\n]*nowhere[^\n]*\n$/)]);
    const images = await explain('--model', 'linear', '--data', 'no-images', '--html', 'missing.html');
    expect(images.code).not.toBe(0);
    expect(images.stderr).toMatch(/^error: [^\n]*no-images[^\n]*\n$/);
    expect(existsSync(path.join(scratch, 'missing.html'))).toBe(false);
  });

  it('rejects hyperparameters without --model', async () => {
    const { code, stderr } = await explain('x*y', 'x=1', 'y=2', '--hidden', '5');
    expect([code, stderr]).toEqual([2, 'error: --hidden applies to the graph of a model only; add --model mlp\n']);
    const values = await explain('--model', 'mlp', 'run', 'x=1');
    expect(values.stderr).toBe('error: --model takes at most one run directory, got run x=1\n');
  });
});
