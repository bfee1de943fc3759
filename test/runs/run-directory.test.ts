import { existsSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { createBackend } from '../../src/backends/select.ts';
import type { Config } from '../../src/config/config.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import type { Dataset } from '../../src/dataset/load.ts';
import { syntheticDataset } from '../../src/dataset/synthetic.ts';
import { UsageError } from '../../src/errors.ts';
import { buildModel } from '../../src/models/model.ts';
import { expectReadable, RunDirectory } from '../../src/runs/run-directory.ts';
import { train } from '../../src/runs/train.ts';
import { rows } from '../../src/training/batches.ts';
import { Trainer } from '../../src/training/trainer.ts';
import { temporaryFolder } from '../support/files.ts';

const DATASET: Dataset = {
  ...syntheticDataset({ trainCount: 10, testCount: 10 }),
  name: 'synthetic',
  source: 'generated',
  sha256: '0'.repeat(64),
};

/** Its memory is only reserved until something is written to it. */
async function backendFor(config: Config): Promise<Backend> {
  const backend = await createBackend({ precision: config.precision, threads: 1 });
  onTestFinished(() => backend.close());
  return backend;
}

describe('checkpoints of very wide runs', () => {
  // 2 GiB less a byte, which Node reads at once, and a MiB for the header.
  const MOST = Math.floor((2 ** 31 - 1 - 2 ** 20) / 4);

  it('may have as much as can be read again', () => {
    expect(() => expectReadable([{ shape: [MOST - 100] }, { shape: [10, 10] }])).not.toThrow();
    expect(() => expectReadable([{ shape: [MOST - 100] }, { shape: [10, 10] }, { shape: [] }])).toThrow(UsageError);
  });

  it('of more are not read', async () => {
    const config = resolveConfig({ val: 2, batchSize: 2, epochs: 1 });
    const out = path.join(temporaryFolder(), 'run');
    await train({ config, dataset: DATASET, backend: await backendFor(config), out });
    truncateSync(path.join(out, 'last.safetensors'), 2 ** 31);
    const loaded = (await RunDirectory.open(out)).load('last', config);
    await expect(loaded).rejects.toThrow('it has 2,147,483,648 bytes, wanted at most 2,147,483,647');
  });

  it.each<Partial<Config>>([
    { hidden: 8192, recipe: 'fast' },
    { hidden: 8192, recipe: 'plain', optimizer: 'adamw' },
    { hidden: 8192, recipe: 'plain', receptiveField: 16, optimizer: 'adamw' },
  ])('of %o are readable', async (given) => {
    const config = resolveConfig({ model: 'mlp', val: 2, batchSize: 1, ...given });
    const model = buildModel(await backendFor(config), config, 1);
    const trainer = new Trainer(model, DATASET.train, { train: rows(8), validation: rows(0) }, config);
    expect(() => expectReadable(trainer.tensors.map(([, tensor]) => tensor))).not.toThrow();
  });

  it('that could not be read keep a run from starting, unless nothing is saved', async () => {
    const wide = { hidden: 8192, receptiveField: 8, receptiveStride: 2, optimizer: 'adamw' } as const;
    const config = resolveConfig({ model: 'mlp', recipe: 'plain', val: 2, batchSize: 1, ...wide });
    const out = path.join(temporaryFolder(), 'run');
    const refused = train({ config, dataset: DATASET, backend: await backendFor(config), out });
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(
      'the weights of this run and the state of its optimizer have 3,372 MB, wanted at most 2,146 MB in a checkpoint; ' +
        'use a smaller hidden or a larger receptiveStride, or save nothing',
    );
    expect(existsSync(out)).toBe(false);
  });
});
