import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { writeBatchFiles } from '../../support/cifar10.ts';
import { type CliOptions, type Finished, nnTrain, QUICK } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';
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

interface RunningWorker {
  readonly child: ChildProcess;
  readonly end: Promise<Finished>;
}

/** Starts a worker, and resolves once it takes trials. */
function startWorker({ url }: RedisServer, args: readonly string[] = [], env = {}): Promise<RunningWorker> {
  return new Promise((resolve) => {
    const end = nnTrain(['worker', '--queue', url, '--dataset', 'synthetic', '--workers', '1', ...args], {
      env,
      onStart: (child) => {
        onTestFinished(() => void child.kill('SIGKILL'));
        child.stdout!.once('data', () => resolve({ child, end }));
      },
    });
  });
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
    const left = async () =>
      ((await redis.call('KEYS', 'nn-train:*')) as string[]).filter((key) => /results|trial-/.test(key));
    await expect.poll(left).toEqual([]);
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

  it('is refused in one sentence by a server that cannot be used', async () => {
    const redis = await RedisServer.start('--requirepass', 'secret');
    const place = `127.0.0.1 on port ${redis.port}`;
    const error = async (url: string) => {
      const { code, stdout, stderr } = await nnTrain(['worker', '--dataset', 'synthetic', '--queue', url]);
      expect([code, stdout]).toEqual([1, '']);
      return stderr;
    };
    expect(await error(redis.url)).toBe(
      `error: ${place} wants a password; give it in the address, as redis://:PASSWORD@host\n`,
    );
    expect(await error(redis.url.replace('//', '//:wrong@'))).toBe(
      `error: ${place} refuses the user name or password; correct the address\n`,
    );
    expect(await error(redis.url.replace('//', '//:secret@').replace('redis', 'rediss'))).toBe(
      `error: ${place} does not answer with TLS; if it has none, write redis:// instead of rediss://\n`,
    );
    expect(await error(`${redis.url.replace('//', '//:secret@')}/99`)).toBe(
      `error: ${place} has no database of this number; correct the address\n`,
    );
    await redis.kill();
    expect(await error(redis.url)).toBe(
      `error: nothing listens at ${place}; start the Redis server of the queue, or correct the address\n`,
    );
  });

  it('is refused by a server whose memory is full, or that drops data', async () => {
    const redis = await RedisServer.start('--maxmemory', '1');
    const run = () => nnTrain(['sweep', ...SWEEP, '--queue', redis.url]);
    expect((await run()).stderr).toBe(
      `error: the memory of the Redis server at 127.0.0.1 on port ${redis.port} is full; raise its maxmemory, or remove what is not needed\n`,
    );
    await redis.call('CONFIG', 'SET', 'maxmemory', '0');
    await redis.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    expect((await run()).stderr).toBe(
      `error: the server ${redis.url} drops data when its memory is full (maxmemory-policy allkeys-lru), and would lose trials; set it to noeviction\n`,
    );
  });
});

describe('a queue', () => {
  it.each([
    [
      'that is not an address',
      ['sweep', ...SWEEP, '--queue', 'http://me:secret@host'],
      'the address of a queue must be redis://',
    ],
    [
      'together with workers of its own',
      ['sweep', ...SWEEP, '--queue', 'redis://host', '--workers', '2'],
      '--workers trains here',
    ],
    ['that is missing', ['worker', '--dataset', 'synthetic'], 'a worker needs a queue; add --queue redis://HOST'],
  ])('%s is refused', async (_, args, message) => {
    const { code, stdout, stderr } = await nnTrain(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(new RegExp(`^error: ${message}`));
    expect(stderr).not.toContain('secret');
  });

  it('that says nothing is given up', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close());
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as { port: number };
    const { code, stderr } = await nnTrain([
      'worker',
      '--dataset',
      'synthetic',
      '--queue',
      `rediss://127.0.0.1:${port}`,
    ]);
    expect([code, stderr]).toEqual([
      1,
      `error: 127.0.0.1 on port ${port} does not answer with TLS; if it has none, write redis:// instead of rediss://\n`,
    ]);
  });
});
