import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodePng } from '../../../src/pictures/encode.ts';
import { decodeSafetensors } from '../../../src/weights/decode.ts';
import { encodeSafetensors } from '../../../src/weights/safetensors.ts';
import { scratchFolder } from '../../support/cifar10.ts';
import { runMain } from '../../support/in-process.ts';
import { onSmallCifar10 } from '../../support/small-cifar10.ts';

const cwd = scratchFolder();
const [RUN, NAN, HUGE] = ['run', 'nan', 'huge'].map((name) => path.join(cwd, name));
const PICTURE = path.join(cwd, 'picture.png');

/** Sets every weight of a run; its progress stays the same. */
function setWeights(run: string, value: number): void {
  for (const name of ['last', 'best']) {
    const file = path.join(run, `${name}.safetensors`);
    const { tensors, metadata } = decodeSafetensors(readFileSync(file), file);
    const weight = tensors.get('linear.weight')!;
    const changed = new Map(tensors).set('linear.weight', { ...weight, values: weight.values.map(() => value) });
    writeFileSync(file, encodeSafetensors({ tensors: changed, metadata }));
  }
}

beforeAll(async () => {
  const { code } = await runMain([...onSmallCifar10(cwd), '--epochs', '1', '--out', RUN, '--quiet']);
  expect(code).toBe(0);
  for (const run of [NAN, HUGE]) cpSync(RUN, run, { recursive: true });
  setWeights(NAN, Number.NaN);
  setWeights(HUGE, 3e38);
  writeFileSync(PICTURE, encodePng(new Uint8Array(3 * 32 * 32).fill(255), 32, 32));
});

describe('weights that are NaN', () => {
  it.each([
    ['eval', NAN],
    ['eval', NAN, '--weights', 'best'],
    ['predict', NAN, PICTURE],
    ['weights', NAN, '--png', path.join(cwd, 'weights.png')],
    ['gradcheck', NAN],
    ['explain', '--model', 'linear', NAN],
    ['report', NAN],
    ['report', RUN, NAN, '--out', path.join(cwd, 'report.html')],
    ['--resume', NAN],
  ])('are an error of %s %s', async (...args) => {
    const { code, stdout, stderr } = await runMain(args);
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).toMatch(
      /^error: 'linear\.weight' in .*nan[\\/](last|best)\.safetensors holds a number that is NaN or infinite: training diverged or the file was changed; use the weights of the best epoch, or train again with a lower --lr\n$/,
    );
  });

  it('are a finding of doctor', async () => {
    const { code, stdout } = await runMain(['doctor', NAN, '--json', '--quiet']);
    expect(code).toBe(1);
    const finding = JSON.parse(stdout).findings.find(({ name }: { name: string }) => name === 'run weights');
    expect(finding).toMatchObject({ verdict: 'bad', evidence: 'NaN or infinite values in linear.weight' });
  });
});

describe('weights so large that the logits are not finite', () => {
  it.each([
    ['eval', HUGE],
    ['predict', HUGE, PICTURE],
    ['report', HUGE],
  ])('are an error of %s', async (...args) => {
    const { code, stdout, stderr } = await runMain(args);
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).toMatch(/^error: .*: training diverged or .* changed\n$/);
  });
});
