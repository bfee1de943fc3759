import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../../src/backends/reference/reference.ts';
import type { RunEvent } from '../../../src/runs/events.ts';
import { RunDirectory } from '../../../src/runs/run-directory.ts';
import { type RunSummary, summarise } from '../../../src/runs/saved/summary.ts';
import { type TrainOptions, train } from '../../../src/runs/train.ts';
import { evaluate } from '../../../src/training/evaluate.ts';
import { temporaryFolder } from '../../support/files.ts';
import { CONFIG, DATASET } from '../../support/short-run.ts';

const trainWith = (options: Partial<TrainOptions>) =>
  train({ config: CONFIG, dataset: DATASET, backend: new ReferenceBackend(), ...options });

/** Trains to the end of an epoch. */
function stoppedAfter(epoch: number, out: string, onEvent: (event: RunEvent) => unknown = () => {}) {
  const controller = new AbortController();
  return trainWith({
    out,
    signal: controller.signal,
    async onEvent(event) {
      await onEvent(event);
      if (event.type === 'epoch-ended' && event.metrics.epoch === epoch) controller.abort('SIGINT');
    },
  });
}

describe('the summary of a run', () => {
  it('has the metrics of its end, with the test that it ended with', async () => {
    const out = path.join(temporaryFolder(), 'run');
    let test: unknown;
    const result = await trainWith({
      out,
      async onEvent(event) {
        if (event.type === 'run-started') test = () => evaluate(event.model, DATASET.test);
      },
    });
    const summary = await summarise(path.join(out, 'best.safetensors'));
    expect(summary).toMatchObject({ status: 'finished', test: await (test as () => Promise<object>)() });
    const { progress, seconds, record, saved } = summary;
    expect({ seconds, train: progress.lastEpoch?.train, bestEpoch: progress.best?.epoch }).toMatchObject({
      seconds: 'seconds' in result && result.seconds,
      train: 'train' in result && result.train,
      bestEpoch: 'bestEpoch' in result && result.bestEpoch,
    });
    expect(record.config).toEqual(CONFIG);
    expect(Math.abs(saved.getTime() - Date.now())).toBeLessThan(3_600_000);
  });

  it('says whether it is being trained, was stopped, or goes on', async () => {
    const out = path.join(temporaryFolder(), 'run');
    const seen: RunSummary[] = [];
    await stoppedAfter(2, out, async ({ type }) => {
      if (type === 'epoch-ended') seen.push(await summarise(out));
    });
    seen.push(await summarise(out));
    expect(seen.map(({ status, progress }) => [status, progress.lastEpoch?.epoch])).toEqual([
      ['training', 1],
      ['training', 2],
      ['stopped', 2],
    ]);
    await trainWith({ resume: await RunDirectory.open(out) });
    expect(await summarise(out)).toMatchObject({ status: 'finished', test: { loss: expect.any(Number) } });
  });

  it('says that it diverged, until it goes on', async () => {
    const out = path.join(temporaryFolder(), 'run');
    const config = { ...CONFIG, lr: 1e300, epochs: 9 };
    await expect(trainWith({ config, out })).rejects.toThrow('diverged');
    expect(await summarise(out)).toMatchObject({ status: 'diverged', test: null });
    const during: RunSummary[] = [];
    const again = trainWith({
      config,
      resume: await RunDirectory.open(out),
      async onEvent(event) {
        if (event.type === 'run-started') during.push(await summarise(out));
      },
    });
    await expect(again).rejects.toThrow('diverged');
    expect([...during, await summarise(out)].map(({ status }) => status)).toEqual(['training', 'diverged']);
  });

  it('has no test if an earlier version has trained it, or if the record is damaged or of other weights', async () => {
    const out = path.join(temporaryFolder(), 'run');
    await trainWith({ out });
    const file = path.join(out, 'result.json');
    const whole = readFileSync(file, 'utf8');
    for (const content of [undefined, '', whole.slice(0, 20), '[]', whole.replace('"step":12', '"step":8')]) {
      rmSync(file);
      if (content !== undefined) writeFileSync(file, content);
      else writeFileSync(file, 'null');
      expect(await summarise(out)).toMatchObject({ status: 'finished', test: null });
    }
    // The test is made again.
    await trainWith({ resume: await RunDirectory.open(out) });
    expect(readFileSync(file, 'utf8')).toBe(whole);
  });
});

describe('the record of the end', () => {
  it('is the same in two runs of a configuration, one of them stopped in between, whatever the views', async () => {
    const folder = temporaryFolder();
    const [once, twice] = ['once', 'twice'].map((name) => path.join(folder, name));
    await trainWith({ out: once });
    await stoppedAfter(1, twice);
    expect(readdirSync(twice)).not.toContain('result.json');
    await trainWith({ resume: await RunDirectory.open(twice), views: 2 });
    const [a, b] = [once, twice].map((run) => readFileSync(path.join(run, 'result.json'), 'utf8'));
    expect(b).toBe(a);
    expect(JSON.parse(a)).toEqual({
      status: 'finished',
      step: 12,
      test: { loss: expect.any(Number), accuracy: expect.any(Number) },
    });
  });
});
