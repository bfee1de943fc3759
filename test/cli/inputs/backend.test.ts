import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { nnTrain, QUICK } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';

const RUN = [...QUICK, '--model', 'mlp', '--hidden', '8', '--epochs', '2', '--quiet'];

describe('the backend of a run', () => {
  it.each(['int16', 'int8', 'float32'])('does not change the weights: threads and V8 flags (%s)', async (precision) => {
    const cwd = temporaryFolder();
    const variants: [args: string[], env: Record<string, string>][] = [
      [[], {}],
      [['--threads', '1', '--no-v8-flags'], {}],
      [['--threads', '3'], {}],
      [[], { NN_TRAIN_THREADS: '2', NN_TRAIN_V8_FLAGS: precision === 'float32' ? 'on' : 'off' }],
    ];
    // Without flags, Node 20 has no fused multiply-add, which changes the bits of float32.
    const comparable =
      precision !== 'float32' || !process.version.startsWith('v20.') ? variants : [variants[0], variants[2]];
    const hashes = new Set<string>();
    for (const [i, [args, env]] of comparable.entries()) {
      const { code, stderr } = await nnTrain([...RUN, ...args, '--precision', precision, '--out', `run${i}`], {
        cwd,
        env,
      });
      expect([code, stderr]).toEqual([0, '']);
      const file = readFileSync(path.join(cwd, `run${i}`, 'last.safetensors'));
      hashes.add(createHash('sha256').update(file).digest('hex'));
    }
    expect(hashes.size).toBe(1);
  });

  it('can be the reference, and is named in the output', async () => {
    const args = [...QUICK, '--epochs', '1', '--no-save', '--backend', 'reference'];
    const { code, stdout } = await nnTrain(args);
    expect(code).toBe(0);
    expect(stdout).toContain('reference (int8, 1 thread)');
  });

  it.each([
    [['--backend', 'gpu'], {}, '--backend must be one of auto, wasm, reference, got gpu'],
    [['--threads', '0'], {}, '--threads must be an integer ≥ 1 and ≤ 256, got 0'],
    [['--threads', 'two'], {}, '--threads must be an integer ≥ 1 and ≤ 256, got two'],
    [[], { NN_TRAIN_THREADS: '1.5' }, 'NN_TRAIN_THREADS must be an integer ≥ 1 and ≤ 256, got 1.5'],
    [[], { NN_TRAIN_BACKEND: 'blas' }, 'NN_TRAIN_BACKEND must be one of auto, wasm, reference, got blas'],
    [['--precision', 'int4'], {}, '--precision must be one of int16, int8, float32, got int4'],
  ])('is refused where it is wrong: %j %j', async (args, env, message) => {
    const { code, stdout, stderr } = await nnTrain([...RUN, ...args], { env });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it('of a resumed run is the one that it began on; another one prints a note about the bits', async () => {
    const cwd = temporaryFolder();
    await nnTrain([...RUN, '--backend', 'reference', '--out', 'run'], { cwd });
    const config = path.join(cwd, 'run', 'config.json');
    expect(JSON.parse(readFileSync(config, 'utf8')).environment.backend).toBe('reference');
    const same = await nnTrain(['--resume', 'run', '--quiet', '--json'], { cwd });
    expect([same.code, same.stderr.includes('note:')]).toEqual([0, false]);
    expect(JSON.parse(same.stdout).environment.backend).toBe('reference');
    const other = await nnTrain(['--resume', 'run', '--quiet', '--backend', 'wasm'], { cwd });
    expect(other.stderr).toContain('the run began on reference and continues on wasm; its bits will differ');
  });
});
