import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import type { Config } from '../../src/config/config.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import type { Dataset } from '../../src/dataset/load.ts';
import { syntheticDataset } from '../../src/dataset/synthetic.ts';
import { UserError } from '../../src/errors.ts';
import { collectRun } from '../../src/report/collect.ts';
import { LiveRun } from '../../src/report/live-run.ts';
import type { RunEvent } from '../../src/runs/events.ts';
import { openRun } from '../../src/runs/open-run.ts';
import { RunDirectory } from '../../src/runs/run-directory.ts';
import { train } from '../../src/runs/train.ts';
import { temporaryFolder } from '../support/files.ts';

const DATASET: Dataset = {
  ...syntheticDataset({ trainCount: 100, testCount: 20 }),
  name: 'synthetic',
  source: 'generated',
  sha256: '0'.repeat(64),
};
const CONFIG = resolveConfig({ precision: 'float32', val: 20, batchSize: 20, epochs: 3 });

/** Trains for three epochs of four steps each, or until it is stopped after a step. */
async function trained(config: Partial<Config> = {}, stopAfter = Infinity, onEvent = async (_: RunEvent) => {}) {
  const out = path.join(temporaryFolder(), 'run');
  const controller = new AbortController();
  const outcome = await train({
    config: { ...CONFIG, ...config },
    dataset: DATASET,
    backend: new ReferenceBackend(),
    out,
    signal: controller.signal,
    onEvent: async (event) => {
      await onEvent(event);
      if (event.type === 'step' && event.progress.step === stopAfter) controller.abort();
    },
  });
  return { run: await RunDirectory.open(out), outcome };
}

async function collected(run: RunDirectory, dataset: Dataset | null = DATASET) {
  const { model, progress } = await openRun(run.path, { backend: new ReferenceBackend() });
  return collectRun(run, progress, { model, dataset });
}

describe('collectRun', () => {
  it('collects the results of a run', async () => {
    const { run, outcome } = await trained();
    const report = await collected(run);
    const { config, environment, bestEpoch, test } = outcome as Extract<typeof outcome, { config: unknown }>;
    expect(report).toMatchObject({ name: run.path, state: 'finished', config, environment, bestEpoch });
    expect(report).toMatchObject({ stepsPerEpoch: 4, plannedEpochs: 3, test: { ...test, images: 20 } });
    expect(report.dataset).toEqual({
      name: 'synthetic',
      images: { train: 100, test: 20 },
      source: 'generated',
      sha256: DATASET.sha256,
      classes: DATASET.classes,
    });
    expect(report.parameters).toEqual([
      { name: 'linear.weight', shape: [10, 3072] },
      { name: 'linear.bias', shape: [10] },
    ]);
    expect(report.epochs.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 4],
      [2, 8],
      [3, 12],
    ]);
    expect(report.seconds).toBeCloseTo(report.epochs[0].seconds + report.epochs[1].seconds + report.epochs[2].seconds);
    expect(report.steps.step).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(report.pictures).toMatchObject({ kind: 'templates', total: 10 });
    expect(report.files.map(({ name }) => name)).toEqual([
      'config.json',
      'metrics.jsonl',
      'steps.jsonl',
      'last.safetensors',
      'best.safetensors',
      'times.json',
      'result.json',
    ]);
    for (const { name, bytes, sha256 } of report.files) {
      const content = readFileSync(path.join(run.path, name));
      expect([bytes, sha256]).toEqual([content.length, createHash('sha256').update(content).digest('hex')]);
    }
  });

  it('matches the events of a stopped run, and ignores lines written after its checkpoint', async () => {
    let live: LiveRun | undefined;
    const { run, outcome } = await trained({ batchSize: 40 }, 5, async (event) => {
      if (event.type === 'run-started') live = await LiveRun.begin(event);
      else if (event.type === 'step' || event.type === 'epoch-ended') live!.addEvent(event);
    });
    expect(outcome).toMatchObject({ interrupted: true });
    const append = (name: string, line: object) =>
      appendFileSync(path.join(run.path, name), `${JSON.stringify(line)}\n`);
    append('steps.jsonl', { step: 6, loss: 1, accuracy: 1, learningRate: 1 });
    append('metrics.jsonl', { ...(await run.metrics())[0], epoch: 3 });
    const { files, pictures, test, ...report } = await collected(run, null);
    const { files: noFiles, pictures: noPictures, test: noTest, ...shown } = live!.report('stopped');
    expect(report).toMatchObject({ state: 'stopped', stepsPerEpoch: 2 });
    expect(report.epochs).toHaveLength(2);
    expect(report.epochs).toMatchObject(shown.epochs);
    expect({ ...report, epochs: null, dataset: null, steps: null }).toEqual({
      ...{ ...shown, epochs: null, dataset: null, steps: null },
      // The sum of the durations in metrics.jsonl.
      seconds: report.epochs[0].seconds + report.epochs[1].seconds,
    });
    expect(report.steps.step).toEqual([1, 2, 3, 4, 5]);
    for (const name of ['loss', 'accuracy', 'learningRate'] as const) {
      for (const i of report.steps.step.keys()) {
        expect(report.steps[name][i] / shown.steps[name][i]).toBeCloseTo(1, 5);
      }
    }
  });

  it('skips damaged lines', async () => {
    const { run } = await trained();
    const whole = await collected(run, null);
    for (const name of ['metrics.jsonl', 'steps.jsonl']) {
      const file = path.join(run.path, name);
      const [first, second, ...rest] = readFileSync(file, 'utf8').trimEnd().split('\n');
      const damaged = [first, second.slice(0, 20), 'null', '{}', '[1]', second.replace(/:\d[\d.]*/, ':"2"'), ...rest];
      writeFileSync(file, damaged.join('\n'));
    }
    const report = await collected(run, null);
    expect(report.epochs).toEqual(whole.epochs.filter(({ epoch }) => epoch !== 2));
    expect(report.steps.step).toEqual([1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it('works without steps.jsonl, as in runs of earlier versions, and without images', async () => {
    const { run } = await trained({ recipe: 'plain', model: 'mlp', hidden: 4 });
    rmSync(path.join(run.path, 'steps.jsonl'));
    const report = await collected(run, null);
    expect(report.epochs).toHaveLength(3);
    expect(report.steps).toEqual({ step: [], loss: [], accuracy: [], learningRate: [] });
    expect([report.updateRatios, report.test, report.pictures]).toEqual([[], null, null]);
    expect(report.files.map(({ name }) => name)).not.toContain('steps.jsonl');
  });

  it('refuses a run without a completed epoch', async () => {
    const { run } = await trained({}, 2);
    await expect(collected(run)).rejects.toThrow(UserError);
    await expect(collected(run)).rejects.toThrow(
      /run has not finished an epoch.*train it for at least one epoch first/,
    );
  });
});
