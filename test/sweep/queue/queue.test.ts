import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Executor } from '../../../src/sweep/executor.ts';
import type { Definition } from '../../../src/sweep/plan/definition.ts';
import { rankingOf } from '../../../src/sweep/plan/ranking.ts';
import { connect } from '../../../src/sweep/queue/connection.ts';
import { QueueExecutor } from '../../../src/sweep/queue/executor.ts';
import { Heartbeat } from '../../../src/sweep/queue/heartbeat.ts';
import { type Conditions, difference, sweepId } from '../../../src/sweep/queue/protocol.ts';
import { QueueWorker } from '../../../src/sweep/queue/worker.ts';
import { createSweep, readSweep, Sweep } from '../../../src/sweep/sweep.ts';
import { temporaryFolder } from '../../support/files.ts';
import { describeRedis, RedisServer } from '../../support/redis.ts';
import { DEFINITION, headerOf, planOf, runPlan, simulate } from '../../support/simulated-sweep.ts';

const CONDITIONS: Conditions = { version: '1.2.3', sha256: 'a'.repeat(64), backend: 'wasm', fma: true };
const SEARCH: Definition = { ...DEFINITION, method: 'random', trials: 200 };

/** A worker that computes nothing, ended with the test. */
async function startWorker({ url }: RedisServer): Promise<void> {
  const connection = await connect(url);
  const executor: Executor = {
    capacity: 4,
    run: async (job) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return simulate(job);
    },
    stop: () => {},
    close: async () => {},
  };
  const heartbeat = new Heartbeat(connection.redis, { worker: 'simulated', capacity: 4 }, () => 1);
  const stop = new AbortController();
  const end = new QueueWorker({ connection, executor, conditions: CONDITIONS, heartbeat }).run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await end;
  });
}

/** Runs a sweep over a queue. @param atResults called with the number of results so far. */
async function runSweep({ url }: RedisServer, definition: Definition, atResults: (count: number) => void = () => {}) {
  const folder = await createSweep(path.join(temporaryFolder(), 'sweep'), headerOf(definition));
  const sweep = await Sweep.open(folder);
  const notes: string[] = [];
  const executor = new QueueExecutor({
    connection: await connect(url),
    sweep: sweepId(sweep.state.sweep, folder),
    conditions: CONDITIONS,
    plan: sweep.state.plan,
    onProgress: () => {},
    onWorkers: () => {},
    onNote: (text) => notes.push(text),
  });
  let count = 0;
  try {
    await sweep.run(executor, {
      signal: new AbortController().signal,
      onEvent: ({ type }) => {
        if (type === 'job-ended') atResults(++count);
      },
    });
  } finally {
    await executor.close();
    await sweep.release();
  }
  const { state } = await readSweep(folder);
  return { notes, count, ranking: rankingOf(state.plan) };
}

const EXPECTED = rankingOf(runPlan(planOf(SEARCH)));

describeRedis('a queue', () => {
  it('brings every result once, whatever happens to its server', async () => {
    const redis = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always');
    await startWorker(redis);
    await startWorker(redis);
    const faults: Record<number, () => unknown> = {
      20: () => redis.call('CLIENT', 'KILL', 'TYPE', 'normal'),
      50: async () => {
        await redis.kill();
        await redis.start();
      },
      80: () => {
        redis.signal('SIGSTOP');
        setTimeout(() => redis.signal('SIGCONT'), 5000);
      },
      110: async () => {
        await redis.call('CONFIG', 'SET', 'maxmemory', '1');
        setTimeout(() => redis.call('CONFIG', 'SET', 'maxmemory', '0'), 3000);
      },
      // All that it holds is lost.
      140: () => redis.call('FLUSHALL'),
    };
    const done: unknown[] = [];
    const { count, ranking, notes } = await runSweep(redis, SEARCH, (results) => {
      done.push(faults[results]?.());
    });
    await Promise.all(done);
    expect(count).toBe(200);
    expect(ranking).toEqual(EXPECTED);
    for (const note of notes) expect(note).toMatch(/^the queue (redis:\/\/127.0.0.1:\d+ is away|answers again)/);
  });
});

it('A worker takes only trials whose bits it would compute', () => {
  const [trial] = [...planOf(SEARCH).jobs()];
  const job = (precision: 'int16' | 'float32') => ({
    sweep: 's',
    conditions: CONDITIONS,
    job: { ...trial, config: { ...trial.config, precision } },
  });
  expect(difference(job('float32'), CONDITIONS)).toBeUndefined();
  expect(difference(job('int16'), { ...CONDITIONS, fma: false })).toBeUndefined();
  expect(difference(job('float32'), { ...CONDITIONS, fma: false })).toMatch(
    /^float32 products without fused.* with fused/,
  );
  expect(difference(job('int16'), { ...CONDITIONS, version: '1.2.4' })).toBe(
    'nn-train 1.2.4, and the sweep nn-train 1.2.3',
  );
  expect(difference(job('int16'), { ...CONDITIONS, backend: 'reference' })).toMatch(
    'the backend reference, and the sweep',
  );
});
