import { copyFileSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../../src/backends/reference/reference.ts';
import { resolveConfig } from '../../../src/config/resolve.ts';
import { syntheticDataset } from '../../../src/dataset/synthetic.ts';
import type { ResultLine } from '../../../src/sweep/journal/lines.ts';
import type { Job } from '../../../src/sweep/plan/job.ts';
import { Checkpoints } from '../../../src/sweep/trial/checkpoints.ts';
import { runJob, type Workplace } from '../../../src/sweep/trial/run-job.ts';
import { temporaryFolder } from '../../support/files.ts';

const { train: images } = syntheticDataset({ trainCount: 120, testCount: 10 });
const CONFIG = resolveConfig({
  model: 'mlp',
  recipe: 'plain',
  hidden: 4,
  precision: 'float32',
  val: 20,
  batchSize: 30,
  epochs: 4,
});

function jobOf(epochs: number, passed: Job['passed'] = []): Job {
  return { trial: 2, rung: passed.length, seed: 0, config: CONFIG, epochs, passed };
}

function workplaceIn(folder: string, more: Partial<Workplace> = {}): Workplace {
  return {
    backend: new ReferenceBackend(),
    images,
    checkpoints: new Checkpoints(folder),
    worker: 'test',
    signal: new AbortController().signal,
    ...more,
  };
}

type Finished = Extract<ResultLine, { status: 'finished' }>;
const run = async (job: Job, workplace: Workplace) => (await runJob(job, workplace)) as Finished;
const withoutTimes = ({ seconds: _, ...line }: ResultLine) => line;
const passing = ({ epochs, weights, worker }: Finished) => ({ epochs, weights, worker });

describe('a training of a sweep', () => {
  it('has the same bits in one go, rung by rung, and without its checkpoints', async () => {
    const whole = await run(jobOf(4), workplaceIn(temporaryFolder()));
    const folder = temporaryFolder();
    const first = await run(jobOf(1), workplaceIn(folder));
    const second = await run(jobOf(4, [passing(first)]), workplaceIn(folder));
    expect(second.weights).toBe(whole.weights);
    expect([...first.curve, ...second.curve]).toEqual(whole.curve);
    rmSync(path.join(folder, 'checkpoints'), { recursive: true });
    const again = await run(jobOf(4, [passing(first)]), workplaceIn(folder));
    expect(withoutTimes(again)).toEqual(withoutTimes(second));
  });

  it('that is stopped saves a checkpoint, and goes on from it to the same bits', async () => {
    const whole = await run(jobOf(4), workplaceIn(temporaryFolder()));
    const folder = temporaryFolder();
    const stop = new AbortController();
    const onProgress = (epochs: number) => {
      if (epochs > 1.5) stop.abort('stopped');
    };
    const stopped = runJob(jobOf(4), workplaceIn(folder, { signal: stop.signal, onProgress }));
    await expect(stopped).rejects.toBe('stopped');
    let first: number | undefined;
    const resumed = await run(jobOf(4), workplaceIn(folder, { onProgress: (epochs) => (first ??= epochs) }));
    expect(first).toBeGreaterThan(1.5);
    expect(withoutTimes(resumed)).toEqual(withoutTimes(whole));
  });

  it('ignores a checkpoint that is damaged, of another configuration, or too far ahead', async () => {
    const folder = temporaryFolder();
    const whole = await run(jobOf(2), workplaceIn(folder));
    const file = path.join(folder, 'checkpoints', readdirSync(path.join(folder, 'checkpoints'))[0]);
    expect(withoutTimes(await runJob(jobOf(1), workplaceIn(folder)))).toMatchObject({ epochs: 1 });
    const other = { ...jobOf(2), config: { ...CONFIG, lr: CONFIG.lr / 2 } };
    const files = readdirSync(path.join(folder, 'checkpoints'));
    const { weights } = await run(other, workplaceIn(folder));
    expect(weights).not.toBe(whole.weights);
    const added = readdirSync(path.join(folder, 'checkpoints')).find((name) => !files.includes(name))!;
    copyFileSync(file, path.join(folder, 'checkpoints', added));
    expect((await run(other, workplaceIn(folder))).weights).toBe(weights);
    writeFileSync(file, 'no checkpoint');
    expect(withoutTimes(await runJob(jobOf(2), workplaceIn(folder)))).toEqual(withoutTimes(whole));
  });

  it('fails if it does not pass through the weights of an earlier rung', async () => {
    const passed = [{ epochs: 1, weights: 'f'.repeat(64), worker: 'elsewhere' }];
    await expect(runJob(jobOf(2, passed), workplaceIn(temporaryFolder()))).rejects.toThrow(
      'trial 2 has other weights after 1 epochs when test trains it than when elsewhere did',
    );
  });

  it('that diverges is a result, and leaves no checkpoint', async () => {
    const folder = temporaryFolder();
    const job = { ...jobOf(4), config: { ...CONFIG, lr: 1e12, optimizer: 'sgd' as const } };
    const line = await runJob(job, workplaceIn(folder));
    expect(line).toMatchObject({ status: 'diverged', message: expect.stringContaining('training diverged') });
    expect(readdirIn(path.join(folder, 'checkpoints'))).toEqual([]);
  });

  it('needs no checkpoints to be saved', async () => {
    const folder = path.join(temporaryFolder(), 'file');
    writeFileSync(folder, '');
    const whole = await run(jobOf(1), workplaceIn(temporaryFolder()));
    expect((await run(jobOf(1), workplaceIn(folder))).weights).toBe(whole.weights);
  });
});

function readdirIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
