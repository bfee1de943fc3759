import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { DataError, DivergedError, UsageError, UserError } from '../../src/errors.ts';
import type { Model } from '../../src/models/model.ts';
import type { RunEvent } from '../../src/runs/events.ts';
import { RunDirectory } from '../../src/runs/run-directory.ts';
import { type TrainOptions, train } from '../../src/runs/train.ts';
import { evaluate } from '../../src/training/evaluate.ts';
import { temporaryFolder } from '../support/files.ts';
import { CONFIG, DATASET, trainIn } from '../support/short-run.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('train', () => {
  it('refuses a backend of another precision than the configuration', async () => {
    const out = path.join(temporaryFolder(), 'run');
    const error = await train({
      config: { ...CONFIG, precision: 'int16' },
      dataset: DATASET,
      backend: new ReferenceBackend(),
      out,
    }).catch((error) => error);
    expect(error).toBeInstanceOf(UsageError);
    expect(error.field).toBe('precision');
    expect(error.message).toBe(
      "precision is int16 in the configuration, but float32 in the backend; create the backend with precision: 'int16'",
    );
    expect(existsSync(out)).toBe(false);
  });

  it('trains in float64', async () => {
    const backend = new ReferenceBackend('float64');
    const outcome = await train({ config: CONFIG, dataset: DATASET, backend, out: null });
    expect(outcome).toMatchObject({ epochs: 3, environment: { dtype: 'float64' } });
  });

  it('tells its events the model, which holds the final weights at the end', async () => {
    let model: Model | undefined;
    const outcome = await train({
      config: CONFIG,
      dataset: DATASET,
      backend: new ReferenceBackend(),
      out: null,
      onEvent(event) {
        if (event.type === 'run-started') model = event.model;
      },
    });
    expect(outcome).toMatchObject({ test: await evaluate(model!, DATASET.test) });
  });

  it('reports no result with a NaN loss', async () => {
    // Its only step has a finite loss, but the update makes the weights infinite.
    const config = resolveConfig({ precision: 'float32', val: 0, trainLimit: 1, epochs: 1, lr: 1e300 });
    const training = train({ config, dataset: DATASET, backend: new ReferenceBackend(), out: null });
    await expect(training).rejects.toThrow(DivergedError);
    await expect(training).rejects.toThrow(/the loss is NaN at step 1 \(epoch 1\)/);
  });
});

describe('a run to resume', () => {
  const again = (run: RunDirectory, change: object = {}) =>
    train({ config: CONFIG, dataset: DATASET, backend: new ReferenceBackend(), resume: run, ...change });

  it('is refused while it is being trained, is locked only then, and loses no line', async () => {
    const out = path.join(temporaryFolder(), 'run');
    const errors: Error[] = [];
    await trainIn(out, async ({ type }) => {
      if (type === 'epoch-ended') await again(await RunDirectory.open(out)).catch((error) => errors.push(error));
    });
    expect(errors).toHaveLength(3);
    for (const error of errors) {
      expect(error).toBeInstanceOf(UserError);
      expect(error.message).toContain(`${out} is being trained by process ${process.pid} on `);
    }
    const run = await RunDirectory.open(out);
    expect((await run.metrics()).map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    expect(readdirSync(out)).not.toContain('lock');
    expect(await again(run)).toMatchObject({ epochs: 3 });
    expect(readdirSync(out)).not.toContain('lock');
  });

  it('is locked until its interruption has been reported', async () => {
    const out = path.join(temporaryFolder(), 'run');
    const controller = new AbortController();
    const locked: boolean[] = [];
    await train({
      config: CONFIG,
      dataset: DATASET,
      backend: new ReferenceBackend(),
      out,
      signal: controller.signal,
      onEvent({ type }) {
        if (type === 'step') controller.abort('SIGINT');
        if (type === 'run-stopped') locked.push(existsSync(path.join(out, 'lock')));
      },
    });
    expect(locked).toEqual([true]);
    expect(readdirSync(out)).not.toContain('lock');
  });

  it('is written no more by a process that has lost its lock', async () => {
    const out = path.join(temporaryFolder(), 'run');
    const training = trainIn(out, ({ type }) => {
      if (type === 'run-started') writeFileSync(path.join(out, 'lock'), '{"pid":1,"host":"elsewhere"}');
    });
    await expect(training).rejects.toThrow(UserError);
    await expect(training).rejects.toThrow(
      /^another process has taken over the run .*; this one stops without saving$/,
    );
    expect(readFileSync(path.join(out, 'metrics.jsonl'), 'utf8')).toBe('');
    expect(readdirSync(out)).toContain('lock');
  });

  it('must have the same configuration and images', async () => {
    const out = path.join(temporaryFolder(), 'run');
    await trainIn(out);
    const run = await RunDirectory.open(out);
    const otherRate = await again(run, { config: { ...CONFIG, lr: 0.5 } }).catch((error) => error);
    expect(otherRate).toBeInstanceOf(UsageError);
    expect(otherRate.field).toBe('lr');
    expect(otherRate.message).toBe(
      `lr is 0.5, but ${CONFIG.lr} in the run ${out}; a run is resumed with its own configuration, that of its config.json`,
    );
    const otherImages = await again(run, { dataset: { ...DATASET, sha256: '1'.repeat(64) } }).catch((error) => error);
    expect(otherImages).toBeInstanceOf(DataError);
    expect(otherImages.message).toContain(`generated does not hold the images that ${out} was trained on`);
  });
});

describe('the last event', () => {
  const last = async (options: Partial<TrainOptions>, fails: RunEvent['type'][] = []) => {
    const events: RunEvent[] = [];
    const onEvent = (event: RunEvent) => {
      events.push(event);
      if (fails.includes(event.type)) throw new Error(event.type);
    };
    const all = { config: CONFIG, dataset: DATASET, backend: new ReferenceBackend(), out: null, onEvent, ...options };
    const outcome = await train(all).catch((error) => error);
    return { outcome, event: events.at(-1)!, count: events.filter(({ type }) => type === 'run-stopped').length };
  };

  it('says why the run stopped, and what it has reached', async () => {
    const interrupted = await last({ signal: AbortSignal.abort('SIGINT') });
    expect(interrupted.event).toMatchObject({ type: 'run-stopped', reason: 'interrupted', cause: 'SIGINT' });
    expect(interrupted.event).toMatchObject({ result: { epochs: 0, train: null, test: null, imagesPerSecond: 0 } });
    const diverged = await last({ config: { ...CONFIG, val: 0, lr: 1e300, epochs: 9 } });
    expect(diverged.event).toMatchObject({ reason: 'diverged', cause: diverged.outcome });
    const failed = await last({}, ['epoch-ended']);
    expect(failed.event).toMatchObject({ reason: 'failed', cause: failed.outcome, result: { epochs: 1 } });
    for (const { count } of [interrupted, diverged, failed]) expect(count).toBe(1);
  });

  it('does not hide the error that stopped the run if its listener fails', async () => {
    expect((await last({}, ['epoch-ended', 'run-stopped'])).outcome.message).toBe('epoch-ended');
  });

  it('is run-ended at the end of a run, even if its listener fails', async () => {
    expect((await last({}, ['run-ended'])).event.type).toBe('run-ended');
  });
});
