import { describe, expect, it, onTestFinished } from 'vitest';
import type { SharedBackend } from '../../../src/backends/backend.ts';
import { resolveConfig } from '../../../src/config/resolve.ts';
import { ThreadExecutor } from '../../../src/sweep/local/threads.ts';
import type { Job } from '../../../src/sweep/plan/job.ts';

const SCRIPT = new URL('../../support/crashing-worker.mjs', import.meta.url);

const job = (trial: number): Job => ({ trial, rung: 0, seed: 0, config: resolveConfig({}), epochs: 1, passed: [] });

async function start({ workers = 1, folder = '', onProgress = () => {} } = {}): Promise<ThreadExecutor> {
  const share = {} as SharedBackend;
  const executor = await ThreadExecutor.start({ share, threads: 1, workers, folder, onProgress, script: SCRIPT });
  onTestFinished(() => executor.close());
  return executor;
}

describe('worker threads', () => {
  it('that crash fail their job, and another one does the next', async () => {
    const executor = await start();
    expect(await executor.run(job(1))).toMatchObject({
      type: 'failed',
      error: 'the worker crashed: it exited with code 3',
    });
    expect(await executor.run(job(2))).toMatchObject({ type: 'failed', error: 'the worker crashed: a bug' });
    expect(await executor.run(job(0))).toMatchObject({ type: 'result', trial: 0 });
  });

  it('work at the same time, under names of their own', async () => {
    const executor = await start({ workers: 3 });
    const outcomes = await Promise.all([0, 4, 5].map((trial) => executor.run(job(trial))));
    expect(new Set(outcomes.map((outcome) => outcome!.worker)).size).toBe(3);
    expect(executor.capacity).toBe(3);
  });

  it('stop their jobs without an outcome, and take no other', async () => {
    let begun = () => {};
    const beginning = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const executor = await start({ onProgress: () => begun() });
    const outcome = executor.run(job(3));
    await beginning;
    executor.stop();
    expect(await outcome).toBeUndefined();
    expect(await executor.run(job(0))).toBeUndefined();
  });

  it('that do not start are an error', async () => {
    await expect(start({ folder: 'cannot start' })).rejects.toThrow('no room');
  });
});
