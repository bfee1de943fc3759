import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import type { Dataset } from '../../src/dataset/load.ts';
import { syntheticDataset } from '../../src/dataset/synthetic.ts';
import { DivergedError, UsageError, UserError } from '../../src/errors.ts';
import { openRun, readRun } from '../../src/runs/open-run.ts';
import { train } from '../../src/runs/train.ts';
import { ZERO_TIMES } from '../../src/training/progress.ts';
import { decodeSafetensors } from '../../src/weights/decode.ts';
import { encodeSafetensors, type NamedTensor } from '../../src/weights/safetensors.ts';
import { scratchFolder } from '../support/cifar10.ts';
import { temporaryFolder } from '../support/files.ts';

const DATASET: Dataset = {
  ...syntheticDataset({ trainCount: 60, testCount: 20 }),
  name: 'synthetic',
  source: 'generated',
  sha256: '0'.repeat(64),
};
const CONFIG = resolveConfig({
  precision: 'float32',
  recipe: 'plain',
  model: 'mlp',
  hidden: 3,
  val: 20,
  batchSize: 20,
  epochs: 2,
});
const RUN = path.join(scratchFolder(), 'run');

const LOCAL = scratchFolder();

beforeAll(async () => {
  const local = resolveConfig({
    ...CONFIG,
    hidden: 2,
    receptiveField: 16,
    receptiveStride: 16,
    activation: 'multi-bias',
    optimizer: 'muon',
    lr: 0.01,
  });
  const out = path.join(LOCAL, 'run');
  await train({ config: local, dataset: DATASET, backend: new ReferenceBackend(), out });
  await train({ config: CONFIG, dataset: DATASET, backend: new ReferenceBackend(), out: RUN });
});

/** A copy of the run with one file changed. */
function copyWith(name: string, change: (content: string) => string | Uint8Array): string {
  const copy = path.join(temporaryFolder(), 'run');
  cpSync(RUN, copy, { recursive: true });
  const file = path.join(copy, name);
  writeFileSync(file, change(readFileSync(file, 'utf8')));
  return copy;
}

// biome-ignore lint/suspicious/noExplicitAny: the tests write what the type forbids.
type Any = any;

const withRecord = (change: (record: Any) => unknown) =>
  copyWith('config.json', (content) => {
    const record = JSON.parse(content);
    const result = change(record);
    return JSON.stringify(result === undefined ? record : result);
  });

function withCheckpoint(change: (tensors: Map<string, NamedTensor>, progress: Any) => unknown): string {
  return copyWith('last.safetensors', () => {
    const { tensors, metadata } = decodeSafetensors(readFileSync(path.join(RUN, 'last.safetensors')), 'last');
    const [changed, progress] = [new Map(tensors), JSON.parse(metadata.progress)];
    const result = change(changed, progress);
    return encodeSafetensors({
      tensors: changed,
      metadata: { progress: JSON.stringify(result === undefined ? progress : result) },
    });
  });
}

const open = (folder: string) => openRun(folder, { backend: new ReferenceBackend() });

async function resume(folder: string) {
  const { directory, record } = await readRun(folder);
  return train({ config: record.config, dataset: DATASET, backend: new ReferenceBackend(), resume: directory });
}

describe('config.json', () => {
  it.skipIf(process.platform === 'win32')('is not waited for if it is a named pipe', async () => {
    const copy = copyWith('config.json', (content) => content);
    rmSync(path.join(copy, 'config.json'));
    execFileSync('mkfifo', [path.join(copy, 'config.json')]);
    await expect(readRun(copy)).rejects.toThrow('config.json: it is a named pipe, wanted a regular file');
  });

  it.each<[(record: Any) => unknown, string]>([
    [() => null, 'config.json does not describe a run: it is null, wanted an object'],
    [() => [], "config.json does not describe a run: 'config' is missing"],
    [({ environment, dataset }) => ({ environment, dataset }), "'config' is missing"],
    [(record) => void (record.config = []), "'config' is [], wanted an object"],
    [(record) => void (record.config = null), "'config' is null, wanted an object"],
    [(record) => void (record.dataset = null), "'dataset' is null, wanted an object"],
    [(record) => void (record.dataset.name = 'mnist'), `'dataset.name' is 'mnist', wanted "cifar10" or "synthetic"`],
    [(record) => void (record.dataset.source = 5), "'dataset.source' is 5, wanted a string"],
    [(record) => void (record.dataset.sha256 = 'x'), "'dataset.sha256' is 'x', wanted 64 hexadecimal digits"],
    [(record) => void (record.environment = true), "'environment' is true, wanted an object"],
    [(record) => void (record.environment.backend = 'gpu'), `'environment.backend' is 'gpu', wanted "wasm" or`],
    [(record) => void (record.environment.threads = '2'), "'environment.threads' is '2', wanted a number"],
    [(record) => void (record.environment.fma = 1), "'environment.fma' is 1, wanted true or false"],
    [(record) => void (record.config.epochs = 1.5), 'config.json: epochs must be an integer ≥ 1, got 1.5'],
  ])('is refused if it was changed: case %#', async (change, problem) => {
    const error = await readRun(withRecord(change)).catch((error) => error);
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toContain(problem);
  });

  it('may lack what earlier versions did not write, and have what later ones may', async () => {
    const folder = withRecord((record) => {
      for (const name of ['recipe', 'receptiveField', 'precision']) delete record.config[name];
      for (const name of ['threads', 'vectorBits', 'fma']) delete record.environment[name];
      record.environment.gpu = 'none';
    });
    const { record } = await readRun(folder);
    expect(record.config).toEqual(CONFIG);
    expect(record.environment).toMatchObject({ backend: 'reference', threads: 1, vectorBits: 0, fma: false });
  });
});

describe('the progress in a checkpoint', () => {
  it.each<[(progress: Any) => unknown, string]>([
    [() => null, 'it is null, wanted an object'],
    [() => ({}), "'step' is missing"],
    [(progress) => void (progress.lastEpoch.epoch = '2'), "'lastEpoch.epoch' is '2', wanted a number"],
    [(progress) => void (progress.step = 1.5), "'step' is 1.5, wanted an integer ≥ 0"],
    [(progress) => void (progress.step = -1), "'step' is -1, wanted an integer ≥ 0"],
    [(progress) => void (progress.epochLoss = null), "'epochLoss' is null, wanted a number"],
    [(progress) => void (progress.best = []), "'best.epoch' is missing"],
    [(progress) => void (progress.best.train = null), "'best.train' is null, wanted an object"],
    [(progress) => void (progress.lastEpoch.train.accuracy = 2), 'is 2, wanted a number from 0 to 1'],
    [(progress) => void (progress.lastEpoch = 5), "'lastEpoch' is 5, wanted an object"],
    [(progress) => void (progress.step = 5), 'step 5 is 0 images after step 4, with 20 per step'],
  ])('is refused if it was changed: case %#', async (change, problem) => {
    const folder = withCheckpoint((_, progress) => change(progress));
    for (const use of [open, resume]) {
      const error = await use(folder).catch((error) => error);
      expect(error).toBeInstanceOf(UserError);
      expect(error.message).toMatch(/^the progress in .*last\.safetensors is damaged: /);
      expect(error.message).toContain(problem);
    }
  });

  it('must be of the configured number of epochs and, to resume, of the images', async () => {
    const fewer = withRecord((record) => void (record.config.epochs = 1));
    await expect(open(fewer)).rejects.toThrow('epoch 2 is done, but epoch 1 is the last of the configuration');
    const more = withRecord((record) => void Object.assign(record.config, { val: 10, epochs: 3 }));
    const problem =
      'does not fit the configuration: 80 images after epoch 2 and 0 images of the next, with 50 per epoch';
    await expect(resume(more)).rejects.toThrow(problem);
  });

  it('must be there', async () => {
    const folder = copyWith('last.safetensors', () => encodeSafetensors({ tensors: new Map(), metadata: {} }));
    await expect(open(folder)).rejects.toThrow(
      /last\.safetensors was not written by nn-train: its metadata has no progress$/,
    );
  });
});

describe('the tensors of a checkpoint', () => {
  it.each([
    ['fc1.weight', Number.NaN],
    ['fc2.bias', Number.POSITIVE_INFINITY],
    ['fc1.bias.momentum_buffer', Number.NEGATIVE_INFINITY],
  ])('are refused if %s holds %d, except to be examined', async (name, value) => {
    const folder = withCheckpoint((tensors) => {
      const { shape, values } = tensors.get(name)!;
      tensors.set(name, { shape, values: values.with(-1 + values.length, value) });
    });
    for (const use of [open, resume]) {
      const error = await use(folder).catch((error) => error);
      expect(error).toBeInstanceOf(DivergedError);
      expect(error.message).toContain(
        `'${name}' in ${path.join(folder, 'last.safetensors')} holds a number that is NaN`,
      );
      expect(error.message).toContain('training diverged or the file was changed');
    }
    const { directory, record } = await readRun(folder);
    const { tensors } = await directory.load('last', record.config, { allowNotFinite: true });
    expect(tensors.get(name)!.values.at(-1)).toBe(value);
  });

  it('must have the shapes of the configuration', async () => {
    const folder = withRecord((record) => void (record.config.hidden = 4));
    for (const use of [open, resume]) {
      await expect(use(folder)).rejects.toThrow(
        `the checkpoint of ${folder} does not fit the configuration: 'fc1.weight' has shape [3, 3072], wanted [4, 3072]`,
      );
    }
  });

  it.each<[name: string, shape: number[], wanted: string]>([
    ['fc1.weight', [8, 767], '[8, 768]'],
    ['fc1.weight', [2, 3072], '[8, 768]'],
    ['fc1.weight', [768, 8], '[8, 768]'],
    ['fc1.bias', [8], '[32]'],
    ['fc2.weight', [10, 8], '[10, 32]'],
    ['fc2.bias', [32], '[10]'],
    ['fc1.weight.momentum_buffer', [32, 192], '[8, 768]'],
    ['fc1.bias.momentum_buffer', [8], '[32]'],
  ])('must have the shapes of receptive fields and thresholds: not %s %j', async (name, shape, wanted) => {
    const out = path.join(LOCAL, 'run');
    const { tensors, metadata } = decodeSafetensors(readFileSync(path.join(out, 'last.safetensors')), 'last');
    const copy = path.join(temporaryFolder(), 'run');
    cpSync(out, copy, { recursive: true });
    const values = new Float32Array(shape.reduce((a, b) => a * b));
    const changed = new Map(tensors).set(name, { shape, values });
    writeFileSync(path.join(copy, 'last.safetensors'), encodeSafetensors({ tensors: changed, metadata }));
    const error = `does not fit the configuration: '${name}' has shape [${shape.join(', ')}], wanted ${wanted}`;
    await expect(resume(copy)).rejects.toThrow(error);
    if (name.endsWith('momentum_buffer')) await open(copy);
    else await expect(open(copy)).rejects.toThrow(error);
  });

  it('of receptive fields and thresholds fit no other arrangement, and their own', async () => {
    const changes: [change: object, problem: string][] = [
      [{ receptiveStride: 8 }, "'fc1.weight' has shape [8, 768], wanted [18, 768]"],
      [{ receptiveField: 12 }, "'fc1.weight' has shape [8, 768], wanted [8, 432]"],
      [{ activation: 'crelu' }, "'fc1.bias' has shape [32], wanted [16]"],
      [{ activation: 'relu' }, "'fc1.bias' has shape [32], wanted [8]"],
    ];
    for (const [change, problem] of changes) {
      const copy = path.join(temporaryFolder(), 'run');
      cpSync(path.join(LOCAL, 'run'), copy, { recursive: true });
      const record = JSON.parse(readFileSync(path.join(copy, 'config.json'), 'utf8'));
      Object.assign(record.config, change);
      writeFileSync(path.join(copy, 'config.json'), JSON.stringify(record));
      await expect(open(copy)).rejects.toThrow(problem);
    }
    const { model } = await open(path.join(LOCAL, 'run'));
    const { tensors } = decodeSafetensors(readFileSync(path.join(LOCAL, 'run/last.safetensors')), 'last');
    for (const { name, tensor } of model.graph.parameters) {
      expect(await model.graph.backend.read(tensor), name).toEqual(tensors.get(name)!.values);
    }
  });

  it('must be those of the optimiser', async () => {
    const adamw = withRecord(({ config: { momentum, nesterov, ...config }, ...record }) => ({
      ...record,
      config: { ...config, optimizer: 'adamw' },
    }));
    await expect(resume(adamw)).rejects.toThrow("it has no tensor 'fc1.weight.exp_avg' [3, 3072]");
    const more = withCheckpoint((tensors) => void tensors.set('fc3.bias', { shape: [0], values: new Float32Array() }));
    await expect(resume(more)).rejects.toThrow(
      "it has a tensor 'fc3.bias', wanted only fc1.weight, fc1.weight.momentum_",
    );
    const without = withCheckpoint((tensors) => void tensors.delete('fc1.weight.momentum_buffer'));
    await expect(resume(without)).rejects.toThrow("it has no tensor 'fc1.weight.momentum_buffer' [3, 3072]");
  });

  it('are not read if the file is larger than any checkpoint', async () => {
    const folder = copyWith('last.safetensors', () => '');
    // Sparse: it takes no space on the disk.
    truncateSync(path.join(folder, 'last.safetensors'), 2 ** 31);
    await expect(open(folder)).rejects.toThrow(
      /^cannot read .*last\.safetensors: it has 2,147,483,648 bytes, wanted at most 2,147,483,647$/,
    );
  });
});

describe('times.json', () => {
  it.each([
    '',
    'null',
    '[]',
    '{"epochTraining":0,"training":"1","all":1}',
    '{"epochTraining":0,"training":-1,"all":1}',
  ])('counts as zero times if it is %j', async (content) => {
    const { directory, record } = await readRun(copyWith('times.json', () => content));
    expect((await directory.load('last', record.config)).times).toEqual(ZERO_TIMES);
  });

  it('counts as zero times if it is missing', async () => {
    const folder = copyWith('times.json', () => '');
    rmSync(path.join(folder, 'times.json'));
    const { directory, record } = await readRun(folder);
    expect((await directory.load('last', record.config)).times).toEqual(ZERO_TIMES);
  });
});

describe('the lines of metrics.jsonl and steps.jsonl', () => {
  it.each<[name: 'metrics' | 'steps', change: (line: Any) => unknown]>([
    ['metrics', () => null],
    ['metrics', () => [1]],
    ['metrics', (line) => void (line.epoch = '1')],
    ['metrics', (line) => void (line.step = 1.5)],
    ['metrics', (line) => void (line.train = null)],
    ['metrics', (line) => void (line.validation = 0)],
    ['metrics', (line) => void delete line.validation],
    ['metrics', (line) => void (line.seconds = null)],
    ['steps', () => 'text'],
    ['steps', (line) => void (line.step = 0)],
    ['steps', (line) => void (line.loss = null)],
    ['steps', (line) => void (line.updateRatios = { 'fc1.weight': '0' })],
    ['steps', (line) => void (line.updateRatios = null)],
  ])('are dropped if they are damaged: %s, case %#', async (name, change) => {
    const file = `${name}.jsonl`;
    const lines = readFileSync(path.join(RUN, file), 'utf8').trimEnd().split('\n');
    const line = JSON.parse(lines[0]);
    const result = change(line);
    const damaged = JSON.stringify(result === undefined ? line : result);
    const folder = copyWith(file, () => `${[damaged, ...lines.slice(1)].join('\n')}\n{"epo`);
    const { directory, record } = await readRun(folder);
    const { progress } = await directory.load('last', record.config);
    expect(await directory[name]()).toHaveLength(lines.length - 1);
    await directory.rewind(progress.lastEpoch!.epoch, progress.step);
    expect(readFileSync(path.join(folder, file), 'utf8')).toBe(
      lines
        .slice(1)
        .map((kept) => `${kept}\n`)
        .join(''),
    );
  });
});
