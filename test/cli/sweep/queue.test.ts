import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { writeBatchFiles } from '../../support/cifar10.ts';
import { type CliOptions, type Finished, nnTrain, QUICK } from '../../support/cli.ts';
import { CutProxy } from '../../support/cut-proxy.ts';
import { temporaryFolder } from '../../support/files.ts';
import { type RunningWorker, startWorker } from '../../support/queue-worker.ts';
import { describeRedis, RedisServer } from '../../support/redis.ts';

const SEARCH = ['--search', 'lr', '--search', 'weight-decay', '--search', 'optimizer=sgd,adamw'];
const SWEEP = [...QUICK, '--epochs', '9', '--halving', '3', '--trials', '12', '--seeds', '2', ...SEARCH];

/** The lines of a journal without measured times and workers, in a fixed order. */
function contentOf(folder: string): string[] {
  const lines = readFileSync(path.join(folder, 'sweep.jsonl'), 'utf8').trim().split('\n');
  return lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .map(({ seconds: _, worker: __, ...line }) => JSON.stringify(line))
    .sort();
}

function winnersHash(folder: string): string {
  const bytes = readFileSync(path.join(folder, 'winner/last.safetensors'));
  return createHash('sha256').update(bytes).digest('hex');
}

function sweep(folder: string, args: readonly string[], options: CliOptions = {}): Promise<Finished> {
  return nnTrain(['sweep', ...args, '--json', '--quiet'], { cwd: path.dirname(folder), ...options });
}

/** What a server still holds of trials and results. */
async function keysOf(redis: RedisServer): Promise<string[]> {
  return ((await redis.call('KEYS', 'nn-train:*')) as string[]).filter((key) => /results|trial-/.test(key));
}

/** Kills a process once the journal has so many lines. */
function killAt(child: ChildProcess, folder: string, count: number): void {
  const file = path.join(folder, 'sweep.jsonl');
  const timer = setInterval(() => {
    if (existsSync(file) && readFileSync(file, 'utf8').split('\n').length > count) child.kill('SIGKILL');
  }, 1);
  child.on('close', () => clearInterval(timer));
}

describeRedis('a sweep over a queue', () => {
  it('has the journal and the weights of a local one, also if workers and the coordinator are killed', async () => {
    const redis = await RedisServer.start();
    const cwd = temporaryFolder();
    const [local, queued] = ['local', 'queued'].map((name) => path.join(cwd, name));
    await sweep(local, [...SWEEP, '--out', local]);
    const lines = contentOf(local).length;

    const [killed, ...others] = await Promise.all([startWorker(redis), startWorker(redis), startWorker(redis)]);
    const queue = ['--queue', redis.url];
    const first = await sweep(queued, [...SWEEP, '--out', queued, ...queue], {
      onStart: (child) => {
        killAt(killed.child, queued, 3);
        killAt(child, queued, Math.floor(lines / 3));
      },
    });
    expect(first.signal).toBe('SIGKILL');
    const second = await sweep(queued, ['--resume', queued, ...queue], {
      onStart: (child) => killAt(child, queued, Math.floor((2 * lines) / 3)),
    });
    expect(second.signal).toBe('SIGKILL');
    const last = await sweep(queued, ['--resume', queued, ...queue]);
    expect({ code: last.code, stderr: last.stderr }).toEqual({ code: 0, stderr: '' });
    expect(contentOf(queued)).toEqual(contentOf(local));
    expect(winnersHash(queued)).toBe(winnersHash(local));
    // Nothing of the sweep is left, once the lock of the killed worker has expired.
    await expect.poll(() => keysOf(redis)).toEqual([]);
    for (const { child } of others) child.kill('SIGTERM');
    expect((await Promise.all(others.map(({ end }) => end))).map(({ code }) => code)).toEqual([143, 143]);
  });

  it('refuses workers with other images, and goes on with the others', async () => {
    const redis = await RedisServer.start();
    const folder = path.join(temporaryFolder(), 'sweep');
    const images = writeBatchFiles(temporaryFolder());
    const other = await startWorker(redis, ['--dataset', 'cifar10', '--data', images, '--trust']);
    let good: Promise<RunningWorker> | undefined;
    void other.end.then(() => {
      good = startWorker(redis);
    });
    const { code, stderr } = await sweep(folder, [...SWEEP, '--out', folder, '--queue', redis.url]);
    const refused = await other.end;
    expect(refused.code).toBe(1);
    const message =
      /the worker .*, process \d+, cannot work on the sweep: the worker has images with SHA-256 [\da-f]{64}, and the sweep images with [\da-f]{64}\n$/;
    expect(refused.stderr).toMatch(message);
    expect([code, stderr]).toEqual([0, `note: ${refused.stderr.replace('error: ', '')}`]);
    (await good!).child.kill('SIGTERM');
  });

  it('heals when the network of a worker was cut for longer than the lock of its trial', async () => {
    const redis = await RedisServer.start();
    const network = await CutProxy.start(redis.port);
    const folder = path.join(temporaryFolder(), 'sweep');
    const away = await startWorker({ url: `redis://127.0.0.1:${network.port}` });
    const trials = [...QUICK, '--epochs', '200', '--search', 'lr', '--method', 'sobol', '--trials', '8'];
    const end = sweep(folder, [...trials, '--out', folder, '--queue', redis.url]);
    // It trains, and has most of the trial before it: a worker that has only taken one would ask whether that is still wanted.
    const states = async () => String(await redis.call('HVALS', 'nn-train:workers'));
    await expect.poll(states).toMatch(/"epochs":\d{1,2}\b/);
    network.cut();
    const other = await startWorker(redis);
    const { code, stderr } = await end;
    expect([code, stderr]).toEqual([0, '']);
    const results = contentOf(folder).filter((line) => line.startsWith('{"type":"result"'));
    expect(new Set(results.map((line) => JSON.parse(line).trial)).size).toBe(8);
    expect(results).toHaveLength(8);
    network.heal();
    // It hands in what it has, which nobody needs any more, and works on.
    await expect.poll(() => away.output()).toMatch(/trial \d+, epoch 200: finished/);
    other.child.kill('SIGTERM');
    await other.end;
    const more = await sweep(folder, ['--resume', folder, '--trials', '9', '--queue', redis.url]);
    expect([more.code, more.stderr]).toEqual([0, '']);
    expect(away.output()).toContain('trial 8, epoch 200: finished');
    expect(await keysOf(redis)).toEqual([]);
  });

  it('gives the trial of a worker that is told to stop to another one', async () => {
    const redis = await RedisServer.start();
    const folder = path.join(temporaryFolder(), 'sweep');
    const leaving = await startWorker(redis);
    const long = [...QUICK, '--epochs', '400', '--search', 'lr', '--method', 'sobol', '--trials', '1'];
    const end = sweep(folder, [...long, '--out', folder, '--queue', redis.url]);
    await expect.poll(async () => ((await redis.call('LLEN', 'nn-train:trials:active')) as number) > 0).toBe(true);
    leaving.child.kill('SIGTERM');
    expect((await leaving.end).stdout).not.toContain('trial 0');
    const staying = await startWorker(redis);
    expect((await end).code).toBe(0);
    staying.child.kill('SIGTERM');
    expect((await staying.end).stdout).toContain('trial 0, epoch 400: finished\n');
  });

  it('stopped by Ctrl-C says how to go on, without the password', async () => {
    const redis = await RedisServer.start('--requirepass', 'secret');
    const folder = path.join(temporaryFolder(), 'sweep');
    const url = redis.url.replace('//', '//:secret@');
    let commandLine = '';
    const { code, stdout, stderr } = await nnTrain(['sweep', ...SWEEP, '--out', folder, '--queue', url], {
      onStart: (child) =>
        child.stdout!.once('data', () => {
          if (process.platform === 'linux') commandLine = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8');
          child.kill('SIGINT');
        }),
    });
    expect(code).toBe(130);
    expect(stderr).toContain(`--queue ${redis.url}`);
    expect(stdout + stderr + commandLine + readFileSync(path.join(folder, 'sweep.jsonl'), 'utf8')).not.toContain(
      'secret',
    );
  });
});
