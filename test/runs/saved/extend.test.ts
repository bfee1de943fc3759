import { cpSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../../src/backends/reference/reference.ts';
import { resolveConfig } from '../../../src/config/resolve.ts';
import type { Dataset } from '../../../src/dataset/load.ts';
import { syntheticDataset } from '../../../src/dataset/synthetic.ts';
import { UsageError } from '../../../src/errors.ts';
import type { RunEvent } from '../../../src/runs/events.ts';
import { readRun } from '../../../src/runs/open-run.ts';
import { summarise } from '../../../src/runs/saved/summary.ts';
import { type TrainOptions, train } from '../../../src/runs/train.ts';
import { temporaryFolder } from '../../support/files.ts';

const DATASET: Dataset = {
  ...syntheticDataset({ trainCount: 100, testCount: 10 }),
  name: 'synthetic',
  source: 'generated',
  sha256: '0'.repeat(64),
};
/** Four steps an epoch. */
const CONFIG = resolveConfig({
  precision: 'float32',
  val: 20,
  batchSize: 20,
  epochs: 3,
  schedule: 'linear',
  warmup: 0.25,
});

const trainWith = (options: Partial<TrainOptions>) =>
  train({ config: CONFIG, dataset: DATASET, backend: new ReferenceBackend(), ...options });

/** Resumes a run as the command line does, up to a step if one is given. */
async function resume(run: string, epochs?: number, until?: number) {
  const { directory, record } = await readRun(run);
  const controller = new AbortController();
  const onEvent = (event: RunEvent) => {
    if (event.type === 'step' && event.progress.step === until) controller.abort('SIGINT');
  };
  return trainWith({ config: record.config, resume: directory, epochs, signal: controller.signal, onEvent });
}

async function begun(until?: number): Promise<string> {
  const out = path.join(temporaryFolder(), 'run');
  const controller = new AbortController();
  await trainWith({
    out,
    signal: controller.signal,
    onEvent(event) {
      if (event.type === 'step' && event.progress.step === until) controller.abort('SIGINT');
    },
  });
  return out;
}

const filesOf = (run: string) =>
  ['config.json', 'last.safetensors', 'best.safetensors', 'steps.jsonl', 'result.json'].map((name) =>
    readFileSync(path.join(run, name), 'hex'),
  );
const ratesOf = (run: string) =>
  readFileSync(path.join(run, 'steps.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).learningRate / CONFIG.lr);

describe('more epochs', () => {
  it('of a finished run follow a new schedule, warm-up included, and are recorded', async () => {
    const run = await begun();
    const before = ratesOf(run);
    expect(await resume(run, 5)).toMatchObject({ epochs: 5, config: { epochs: 5 } });
    // Two more epochs are eight steps: a quarter to warm up, then down along a line.
    const after = [1 / 2, 1, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6];
    ratesOf(run).forEach((rate, i) => {
      expect(rate).toBeCloseTo([...before, ...after][i], 6);
    });
    const { record } = await readRun(run);
    expect(record).toMatchObject({
      config: { epochs: 5 },
      schedules: [
        { step: 0, epochs: 3 },
        { step: 12, epochs: 5 },
      ],
    });
    expect(await summarise(run)).toMatchObject({
      status: 'finished',
      progress: { step: 20 },
      test: expect.any(Object),
    });
  });

  it.each([
    ['finished', undefined],
    ['stopped', 6],
  ])(
    'of a %s run end with the same bits, stopped at any step and resumed with or without the number',
    async (_, at) => {
      const start = await begun(at);
      const copy = (name: string) => {
        cpSync(start, `${start}-${name}`, { recursive: true });
        return `${start}-${name}`;
      };
      const whole = copy('whole');
      await resume(whole, 5);
      const wanted = filesOf(whole);
      for (const until of [(at ?? 12) + 1, 15, 16, 19]) {
        const run = copy(String(until));
        expect(await resume(run, 5, until)).toMatchObject({ interrupted: true });
        expect((await summarise(run)).status).toBe('stopped');
        await resume(run, until % 2 === 0 ? undefined : 5);
        expect(filesOf(run)).toEqual(wanted);
      }
    },
  );

  it('may be changed again, and forget a schedule by which no step was made', async () => {
    const run = await begun();
    await resume(run, 9, 14);
    await resume(run, 4);
    expect((await readRun(run)).record.schedules).toEqual([
      { step: 0, epochs: 3 },
      { step: 12, epochs: 9 },
      { step: 14, epochs: 4 },
    ]);
    expect(await summarise(run)).toMatchObject({ status: 'finished', progress: { step: 16 } });
  });

  it('are refused if more are done, or if it is no number of epochs; nothing changes', async () => {
    const run = await begun(6);
    const before = readFileSync(path.join(run, 'config.json'), 'utf8');
    for (const epochs of [1, 0, 1.5, 'two' as unknown as number]) {
      await expect(resume(run, epochs)).rejects.toThrow(UsageError);
    }
    await expect(resume(run, 1)).rejects.toThrow(
      'epochs is 1, but the run has done 1 and a part of the next; give at least 2',
    );
    expect(readFileSync(path.join(run, 'config.json'), 'utf8')).toBe(before);
  });

  it('give a run that stopped early its patience again', async () => {
    const out = path.join(temporaryFolder(), 'run');
    const config = resolveConfig({ ...CONFIG, epochs: 50, lr: 1e-12, earlyStop: 2 });
    await trainWith({ config, out });
    const { record, directory } = await readRun(out);
    const done = (await directory.progress(record.config)).lastEpoch!.epoch;
    expect(done).toBeLessThan(50);
    await resume(out, 60);
    expect((await directory.progress({ ...record.config, epochs: 60 })).lastEpoch!.epoch).toBeGreaterThanOrEqual(
      done + 2,
    );
  });
});
