import { EventEmitter } from 'node:events';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { GradcheckResult } from '../../../src/cli/check/gradcheck-text.ts';
import { main } from '../../../src/cli/main.ts';
import { store } from '../../../src/engine/gate.ts';
import { linear } from '../../../src/engine/gates/linear.ts';
import { nnTrain, QUICK } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';

const SYNTHETIC = ['--dataset', 'synthetic'];

afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs the command line in this process, where a test can replace the backward of a gate. */
async function runHere(...args: string[]): Promise<{ code: number; stdout: string; io: EventEmitter }> {
  let stdout = '';
  const stream = (write: (text: string) => void) => Object.assign(new EventEmitter(), { write, columns: 80 });
  const io = Object.assign(new EventEmitter(), {
    stdout: stream((text) => {
      stdout += text;
    }),
    stderr: stream(() => {}),
    env: {},
    cwd: () => '/',
  });
  return { code: await main(args, io as unknown as NodeJS.Process), stdout, io };
}

const SMALL_MLP = [...SYNTHETIC, '--model', 'mlp', '--recipe', 'plain', '--hidden', '9'];

describe('gradcheck', () => {
  it('shows a row for each parameter, and exits with 0', async () => {
    const { code, stdout, stderr } = await nnTrain(['gradcheck', ...SMALL_MLP]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('softmax, label smoothing 0.1, L2 term 0.0005/2·‖W‖²');
    for (const row of ['fc1.weight  [9, 3072]', 'fc1.bias    [9]', 'fc2.weight  [10, 9]', 'fc2.bias    [10]']) {
      expect(stdout).toMatch(new RegExp(`^${row.replace(/[[\]]/g, '\\$&')} .* ✓ right$`, 'm'));
    }
    expect(stdout).toContain('14 gradients of single gates');
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('prints one object with --json, for --batch-size images', async () => {
    const args = ['gradcheck', ...SYNTHETIC, '--loss', 'hinge', '--batch-size', '3', '--epochs', '99', '--json'];
    const { code, stdout, stderr } = await nnTrain(args);
    expect([code, stderr]).toEqual([0, '']);
    const result: GradcheckResult = JSON.parse(stdout);
    expect(result).toMatchObject({
      model: 'linear',
      dataset: 'synthetic',
      run: null,
      step: 0,
      images: 3,
      passed: true,
    });
    expect(result.loss).toBeGreaterThan(8);
    expect(result.parameters.map(({ parameter, shape }) => [parameter, shape])).toEqual([
      ['linear.weight', [10, 3072]],
      ['linear.bias', [10]],
    ]);
    for (const { verdict, direction, coordinate } of result.parameters) {
      expect(verdict).toBe('right');
      expect(direction!.error).toBeLessThan(1e-7);
      expect(coordinate!.error).toBeLessThan(1e-7);
    }
    expect(result.gates.map(({ gate, input }) => `${gate}: ${input}`)).toEqual([
      'linear: x',
      'linear: weight',
      'linear: bias',
      'hinge: logits',
      'L2 penalty: weight',
      '+: a',
      '+: b',
    ]);
  });

  it('checks 8 images regardless of the batch size in the environment', async () => {
    const { stdout } = await nnTrain(['gradcheck', ...SYNTHETIC, '--json'], { env: { NN_TRAIN_BATCH_SIZE: '100' } });
    expect(JSON.parse(stdout).images).toBe(8);
  });

  it('checks at the weights of a run', async () => {
    const run = path.join(temporaryFolder(), 'run');
    expect((await nnTrain([...QUICK, '--epochs', '2', '--out', run])).code).toBe(0);
    const { code, stdout } = await nnTrain(['gradcheck', run]);
    expect(code).toBe(0);
    expect(stdout).toContain('at the weights of');
    expect(stdout).toContain('step 20');
    const result: GradcheckResult = JSON.parse((await nnTrain(['gradcheck', run, '--json'])).stdout);
    const fresh: GradcheckResult = JSON.parse((await nnTrain(['gradcheck', ...SYNTHETIC, '--json'])).stdout);
    expect(result).toMatchObject({ run, step: 20, images: 8 });
    expect(result.loss, 'trained').toBeLessThan(0.95 * fresh.loss);

    const refused = await nnTrain(['gradcheck', run, '--lr', '1', '--batch-size', '4']);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      `error: the configuration comes from the run ${run}; leave out --lr\n`,
    ]);
  });

  it('rejects a folder that is not a run, and more images than the dataset has', async () => {
    const folder = temporaryFolder();
    expect(await nnTrain(['gradcheck', folder])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('config.json'),
    });
    const many = await nnTrain(['gradcheck', ...SYNTHETIC, '--batch-size', '20000']);
    expect([many.code, many.stderr]).toEqual([2, 'error: --batch-size must be at most 10000, got 20000\n']);
  });

  it('exits with 1 and names the gates with a wrong backward', async () => {
    const { backward } = linear;
    vi.spyOn(linear, 'backward').mockImplementation((backend, at) => {
      const gradients = backward(backend, at);
      return {
        ...gradients,
        weight(into) {
          const [right, one] = [backend.allocate(at.inputs.weight.shape), backend.allocate([])];
          gradients.weight!(store(right));
          backend.write(one, [1]);
          backend.scale(right, 1.001, one, into);
        },
      } as ReturnType<typeof backward>;
    });
    const { code, stdout } = await runHere('gradcheck', ...SMALL_MLP);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^fc1\.weight .* ✗ suspicious$/m);
    expect(stdout).toMatch(/^fc1\.bias .* ✓ right$/m);
    expect(stdout).toContain("✗ backward of linear 'fc1', gradient with respect to weight is wrong");
    expect(stdout).toContain("✗ backward of linear 'logits', gradient with respect to weight is wrong");
    expect(stdout.replace(/\s+/g, ' ')).toMatch(
      /at \[\d, \d+\] backward gives .*, differences give .*: relative error 1\.0e-3/,
    );
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(stdout).toContain('failed');
  });
});
