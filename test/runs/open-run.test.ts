import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { createBackend } from '../../src/backends/select.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import type { Dataset } from '../../src/dataset/load.ts';
import { syntheticDataset } from '../../src/dataset/synthetic.ts';
import { UsageError, UserError } from '../../src/errors.ts';
import type { RunResult } from '../../src/runs/events.ts';
import { openRun, readRun } from '../../src/runs/open-run.ts';
import { train } from '../../src/runs/train.ts';
import { evaluate } from '../../src/training/evaluate.ts';
import { scratchFolder } from '../support/cifar10.ts';
import { temporaryFolder } from '../support/files.ts';

const DATASET: Dataset = {
  ...syntheticDataset({ trainCount: 60, testCount: 20 }),
  name: 'synthetic',
  source: 'generated',
  sha256: '0'.repeat(64),
};
const CONFIG = resolveConfig({ val: 20, batchSize: 20, epochs: 2 });
const RUN = path.join(scratchFolder(), 'run');
let result: RunResult;

beforeAll(async () => {
  const backend = await createBackend({ backend: 'reference', precision: CONFIG.precision });
  result = (await train({ config: CONFIG, dataset: DATASET, backend, out: RUN })) as RunResult;
});

describe('openRun', () => {
  it('loads the last weights, on the kind of backend that the run was trained on', async () => {
    const { model, record, progress, classes, weights, backend } = await openRun(RUN);
    expect(backend).toMatchObject({ name: 'reference', dtype: 'float32', precision: CONFIG.precision });
    expect(record).toMatchObject({ config: CONFIG, dataset: { name: 'synthetic' } });
    expect([weights, progress.lastEpoch?.epoch, classes]).toEqual(['last', 2, DATASET.classes]);
    expect(await evaluate(model, DATASET.test)).toEqual(result.test);
  });

  it('loads the best weights, on a backend of the caller', async () => {
    const backend = new ReferenceBackend('float64');
    const run = await openRun(RUN, { weights: 'best', backend });
    expect(run.backend).toBe(backend);
    expect(run.progress.lastEpoch?.epoch).toBe(result.bestEpoch);
  });

  it('closes the backend that it started if the run cannot be loaded', async () => {
    const config = resolveConfig({ val: 0, batchSize: 60, epochs: 1, precision: 'float32' });
    const out = path.join(temporaryFolder(), 'run');
    await train({ config, dataset: DATASET, backend: new ReferenceBackend(), out });
    const backend = new ReferenceBackend();
    const close = vi.spyOn(backend, 'close');
    await expect(openRun(out, { weights: 'best', backend })).rejects.toThrow(UserError);
    expect(close).not.toHaveBeenCalled();
    await expect(openRun(out, { weights: 'best', backend: async () => backend })).rejects.toThrow(/no best weights/);
    expect(close).toHaveBeenCalledOnce();
  });

  it('refuses a folder that holds no run', async () => {
    const folder = temporaryFolder();
    await expect(openRun(folder)).rejects.toThrow(UsageError);
    for (const name of ['config.json', 'last.safetensors']) writeFileSync(path.join(folder, name), '{}');
    await expect(openRun(folder)).rejects.toThrow(/config\.json does not describe a run/);
  });
});

describe('a run that was read', () => {
  it('can be resumed', async () => {
    const out = path.join(temporaryFolder(), 'run');
    const controller = new AbortController();
    const setup = { dataset: DATASET, backend: new ReferenceBackend('float32', CONFIG.precision) };
    const onEvent = () => controller.abort();
    await train({ ...setup, config: CONFIG, out, signal: controller.signal, onEvent });
    const { directory, record } = await readRun(out);
    expect(await train({ ...setup, config: record.config, resume: directory })).toMatchObject({ test: result.test });
  });
});
