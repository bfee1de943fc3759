import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeSafetensors } from '../../../src/weights/decode.ts';
import { scratchFolder } from '../../support/cifar10.ts';
import { runMain } from '../../support/in-process.ts';
import { onSmallCifar10 } from '../../support/small-cifar10.ts';

const cwd = scratchFolder();
const at = (...names: readonly string[]) => path.join(cwd, ...names);
const SMALL = onSmallCifar10(cwd);
const MLP = [...SMALL, '--model', 'mlp', '--recipe', 'plain', '--hidden', '4'];
const contentOf = (...names: readonly string[]) => readFileSync(at(...names));
const tensorsOf = (run: string, weights: string) =>
  decodeSafetensors(contentOf(run, `${weights}.safetensors`), run).tensors;

async function trained(name: string, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await runMain([...args, '--out', at(name), '--quiet']);
  expect(code, stderr).toBe(0);
}

/** A run that is stopped before its first step, with what it would begin with. */
async function begun(name: string, ...args: readonly string[]) {
  const { code } = await runMain([...args, '--out', at(name)], {}, undefined, (text, io) => {
    if (text.startsWith('data ')) io.emit('SIGINT', 'SIGINT');
  });
  expect(code).toBe(130);
  return tensorsOf(name, 'last');
}

beforeAll(async () => {
  await trained('source', ...MLP, '--epochs', '3', '--lr', '0.5');
  await trained('linear', ...SMALL, '--epochs', '1');
});

describe('--init-from', () => {
  it.each([
    ['source', 'last'],
    ['source/last.safetensors', 'last'],
    ['source/best.safetensors', 'best'],
  ])('begins with the weights of %s and a fresh optimiser, and records their hash', async (from, weights) => {
    const name = `from-${path.basename(from)}`;
    const tensors = await begun(name, ...MLP, '--optimizer', 'adamw', '--seed', '9', '--init-from', at(from));
    const theirs = tensorsOf('source', weights);
    for (const [key, { values }] of tensors) {
      if (/^fc[12]\.(weight|bias)$/.test(key)) expect(values, key).toEqual(theirs.get(key)!.values);
      else
        expect(
          values.every((value) => value === 0),
          key,
        ).toBe(true);
    }
    expect([...tensors.keys()].length).toBe(12);
    const sha256 = createHash('sha256')
      .update(contentOf('source', `${weights}.safetensors`))
      .digest('hex');
    expect(JSON.parse(String(contentOf(name, 'config.json'))).initFrom).toEqual({ run: at('source'), weights, sha256 });
  });

  it('gives a run that can be resumed with the same bits, without the other run', async () => {
    const args = [...SMALL, '--epochs', '3', '--init-from', at('linear')];
    await begun('stopped', ...args);
    await trained('whole', ...args);
    expect((await runMain(['--resume', at('stopped'), '--quiet'])).code).toBe(0);
    for (const file of ['last.safetensors', 'steps.jsonl', 'config.json', 'result.json']) {
      expect(contentOf('stopped', file).equals(contentOf('whole', file)), file).toBe(true);
    }
    const { stdout } = await runMain([...args, '--no-save']);
    expect(stdout).toContain(`\ninit   last weights of ${at('linear')}\n`);
    const fresh = at('fresh');
    await trained('fresh', ...SMALL, '--epochs', '3');
    expect(readFileSync(path.join(fresh, 'steps.jsonl')).equals(contentOf('whole', 'steps.jsonl'))).toBe(false);
  });

  it.each([
    [
      [...SMALL],
      'source',
      '--model is linear, but mlp in SOURCE; weights fit the same network only: set --model mlp --hidden 4 --receptive-field 32 --activation relu\n',
    ],
    [
      [...MLP],
      'linear',
      '--model is mlp, but linear in SOURCE; weights fit the same network only: set --model linear\n',
    ],
    [
      [...MLP, '--hidden', '8', '--activation', 'tanh'],
      'source',
      '--hidden is 8, but 4 in SOURCE, --activation is tanh, but relu in SOURCE; weights fit',
    ],
    [[...MLP, '--receptive-field', '8'], 'source', '--receptive-field is 8, but 32 in SOURCE; weights fit'],
    [[...MLP], 'nowhere', 'SOURCE is not a run directory'],
    [['--resume', 'run'], 'linear', 'the configuration comes from the run run; leave out --init-from'],
  ])('refuses %j with the weights of %s', async (args, source, message) => {
    const { code, stdout, stderr } = await runMain(
      [...args, '--no-save', '--init-from', at(source)].filter(
        (word) => args[0] !== '--resume' || word !== '--no-save',
      ),
    );
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message.replaceAll('SOURCE', at(source)));
  });
});
