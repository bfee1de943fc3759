import { describe, expect, it } from 'vitest';
import { runMain } from '../support/in-process.ts';

async function error(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runMain(args);
  expect([code, stdout]).toEqual([2, '']);
  return stderr;
}

describe('an unknown option', () => {
  it.each([
    // Near misses, beginnings and other spellings of our own names.
    ['--epoch', "'--epochs'"],
    ['--hiden', "'--hidden'"],
    ['--optim', "'--optimizer'"],
    ['--batch', "'--batch-size'"],
    ['--weight_decay', "'--weight-decay'"],
    ['--batchSize=64', "'--batch-size'"],
    ['-lr', "'--lr'"],
    ['--dat', "'--dataset' or '--data'"],
    // Names of PyTorch, Keras and scikit-learn.
    ['--learning-rate', "'--lr'"],
    ['--learning_rate_init', "'--lr'"],
    ['--hidden-units', "'--hidden'"],
    ['--hidden_layer_sizes', "'--hidden'"],
    ['--n-epochs', "'--epochs'"],
    ['--max-iter', "'--epochs'"],
    ['--l2', "'--weight-decay'"],
    ['--alpha', "'--weight-decay'"],
    ['--wd', "'--weight-decay'"],
    ['--random-state', "'--seed'"],
    ['--lr-schedule', "'--schedule'"],
    ['--val-split', "'--val'"],
    ['--valid', "'--val'"],
    ['--save', "'--out'"],
    ['--output', "'--out'"],
    ['--device', "'--backend'"],
    ['--no-cuda', "'--backend'"],
    ['--num-threads', "'--threads'"],
    ['--workers', "'--threads'"],
  ])('%s suggests %s', async (option, meant) => {
    expect(await error(option, '1')).toBe(
      `error: unknown option '${option}'. Did you mean ${meant}?\nRun nn-train train --help for its options and examples.\n`,
    );
  });

  it('suggests only what its command has, also what the help does not list', async () => {
    expect(await error('eval', 'run', '--device', 'gpu')).toContain("Did you mean '--backend'?");
    expect(await error('eval', 'run', '--checkpoint', 'best')).toContain("Did you mean '--weights'?");
    expect(await error('--checkpoint', 'run')).toContain("Did you mean '--resume'?");
    expect(await error('eval', 'run', '--wd', '1')).toMatch(/^error: unknown option '--wd'\n/);
    expect(await error('gradcheck', '--hiden', '5')).toContain("Did you mean '--hidden'?");
  });

  it.each([
    ['info', '--data', 'info'],
    ['info', '--path', 'info'],
    ['verify', '--data=x', 'verify'],
    ['import', '--data', 'import'],
    ['path', '--data', 'info'],
  ])('of data %s: %s suggests the argument of data %s', async (command, option, meant) => {
    expect(await error('data', command, option, 'x')).toContain(`Did you mean 'data ${meant} PATH'?\n`);
  });

  it('-v suggests --version, not the options that begin with v', async () => {
    expect(await error('-v')).toMatch(/^error: unknown option '-v'\. Did you mean '--version'\?\n/);
  });

  it('suggests nothing where nothing is near', async () => {
    expect(await error('--xyzzy')).toMatch(/^error: unknown option '--xyzzy'\n/);
    expect(await error('--no')).toMatch(/^error: unknown option '--no'\n/);
  });
});

describe('an unknown command', () => {
  it.each([
    [['tain'], "'tain'. Did you mean 'train'?"],
    [['evaluate', 'run', '--weights', 'best'], "'evaluate'. Did you mean 'eval'?"],
    [['test', 'run'], "'test'. Did you mean 'eval'?"],
    [['fit'], "'fit'. Did you mean 'train'?"],
    [['infer', 'run', 'a.png'], "'infer'. Did you mean 'predict'?"],
    [['download'], "'download'. Did you mean 'data download'?"],
    [['mlp', '--lr', '1'], "'mlp'. Did you mean '--model mlp'?"],
    [['--lr', '1', 'evaluate'], "'evaluate'. Did you mean 'eval'?"],
    [['train', 'mlp'], "'mlp'. Did you mean '--model mlp'?"],
    [['help', 'evla'], "'evla'. Did you mean 'eval'?"],
    [['xyzzy'], "'xyzzy'"],
  ])('%j', async (args, message) => {
    expect(await error(...args)).toBe(
      `error: unknown command ${message}\nRun nn-train --help for its commands and examples.\n`,
    );
  });

  it('among those of data', async () => {
    const pointer = 'Run nn-train data --help for its commands and examples.\n';
    expect(await error('data', 'dowload')).toBe(
      `error: unknown command 'dowload'. Did you mean 'download'?\n${pointer}`,
    );
    expect(await error('help', 'data', 'fetch')).toBe(
      `error: unknown command 'fetch'. Did you mean 'download'?\n${pointer}`,
    );
  });
});

it('points from a wrong argument to the help of its own command, as it was called', async () => {
  expect(await error('eval')).toBe(
    "error: missing required argument 'run'\nRun nn-train eval --help for its options and examples.\n",
  );
  expect(await error('data', 'path', 'here')).toContain(
    '\nRun nn-train data path --help for its options and examples.\n',
  );
  const { stderr } = await runMain(['bench', 'linear'], { npm_command: 'exec' });
  expect(stderr).toContain('\nRun npx nn-train bench --help for its options and examples.\n');
});

describe('a choice', () => {
  it.each([
    [['--optimizer', 'adam'], "--optimizer must be one of sgd, adamw, muon, got adam. Did you mean 'adamw'?"],
    [['--optimizer', 'SGD'], "--optimizer must be one of sgd, adamw, muon, got SGD. Did you mean 'sgd'?"],
    [['--loss', 'cross_entropy'], "got cross_entropy. Did you mean 'softmax'?"],
    [['--activation', 'LeakyReLU', '--model', 'mlp'], "got LeakyReLU. Did you mean 'leaky-relu'?"],
    [['doctor', '--init', 'kaiming'], "got kaiming. Did you mean 'he'?"],
    [['bench', '--precision', 'fp32'], "got fp32. Did you mean 'float32'?"],
  ])('of another library: %j', async (args, message) => {
    expect(await error(...args)).toContain(message);
  });
});
