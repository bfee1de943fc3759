import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { nnTrain, QUICK } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';
import { startWorker } from '../../support/queue-worker.ts';
import { describeRedis, RedisServer } from '../../support/redis.ts';

const TRIALS = [...QUICK, '--epochs', '3', '--search', 'lr', '--method', 'sobol', '--trials', '3'];

const linesOf = (file: string) => {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line));
};

describeRedis('workers', () => {
  it('that share a folder leave the checkpoint of the winner there, and remove all when the sweep is over', async () => {
    const redis = await RedisServer.start();
    const cwd = temporaryFolder();
    const shared = ['--checkpoints', path.join(cwd, 'shared')];
    const workers = await Promise.all([startWorker(redis, shared), startWorker(redis, shared)]);
    const args = ['sweep', ...TRIALS, '--out', 'sweep', '--queue', redis.url, ...shared, '--json', '--quiet'];
    const { code, stdout, stderr } = await nnTrain(args, { cwd });
    expect([code, stderr]).toEqual([0, '']);
    // The winner has the times of the worker that trained it.
    const { winner } = JSON.parse(stdout);
    const result = linesOf(path.join(cwd, 'sweep/sweep.jsonl')).find(({ trial }) => trial === winner.trial);
    const epochs = linesOf(path.join(cwd, 'sweep/winner/metrics.jsonl'));
    expect(epochs.reduce((sum, { seconds }) => sum + seconds, 0)).toBeCloseTo(result.seconds, 5);
    const [name] = readdirSync(path.join(cwd, 'shared'));
    await expect.poll(() => readdirSync(path.join(cwd, 'shared', name, 'checkpoints'))).toEqual([]);
    for (const { child } of workers) child.kill('SIGTERM');
    await Promise.all(workers.map(({ end }) => end));
  });

  it('remove the temporary folder of one that was killed, but not that of one that works', async () => {
    const redis = await RedisServer.start();
    const TMPDIR = path.join(temporaryFolder(), 'tmp');
    mkdirSync(TMPDIR);
    const start = () => startWorker(redis, [], { env: { TMPDIR } });
    const folders = () => readdirSync(TMPDIR).filter((name) => !name.endsWith('.lock'));
    const [killed, working] = [await start(), await start()];
    const before = folders();
    expect(before).toHaveLength(2);
    killed.child.kill('SIGKILL');
    await killed.end;
    expect(folders()).toEqual(before);
    const next = await start();
    expect(folders()).toHaveLength(2);
    expect(folders().filter((name) => before.includes(name))).toHaveLength(1);
    for (const { child } of [working, next]) child.kill('SIGTERM');
    await Promise.all([working.end, next.end]);
    expect(readdirSync(TMPDIR)).toEqual([]);
  });
});

it('Only a sweep with a queue shares its checkpoints', async () => {
  const { code, stderr } = await nnTrain(['sweep', ...TRIALS, '--checkpoints', 'folder']);
  expect([code, stderr]).toEqual([
    2,
    'error: --checkpoints is for a sweep with a queue; without one, checkpoints are in the folder of the sweep, so leave it out\n',
  ]);
});
