import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CERTIFICATE, KEY } from '../../support/certificate.ts';
import { nnTrain, QUICK } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';
import { startWorker } from '../../support/queue-worker.ts';
import { describeRedis, RedisServer } from '../../support/redis.ts';

const SWEEP = [...QUICK, '--search', 'lr'];

/** What a worker says that cannot work with a queue. */
async function refusal(queue: string, env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await nnTrain(['worker', '--dataset', 'synthetic', '--queue', queue], { env });
  expect([code, stdout]).toEqual([1, '']);
  return stderr;
}

describeRedis('a server', () => {
  it('that cannot be used is refused in one sentence', async () => {
    const redis = await RedisServer.start('--requirepass', 'secret');
    const place = `127.0.0.1 on port ${redis.port}`;
    expect(await refusal(redis.url)).toBe(
      `error: ${place} wants a password; give it in the address, as redis://:PASSWORD@host\n`,
    );
    expect(await refusal(redis.url.replace('//', '//:wrong@'))).toBe(
      `error: ${place} refuses the user name or password; correct the address\n`,
    );
    expect(await refusal(redis.url.replace('//', '//:secret@').replace('redis', 'rediss'))).toBe(
      `error: ${place} does not answer with TLS; if it has none, write redis:// instead of rediss://\n`,
    );
    expect(await refusal(`${redis.url.replace('//', '//:secret@')}/99`)).toBe(
      `error: ${place} has no database of this number; correct the address\n`,
    );
    await redis.kill();
    expect(await refusal(redis.url)).toBe(
      `error: nothing listens at ${place}; start the Redis server of the queue, or correct the address\n`,
    );
  });

  it('whose memory is full, or that drops data, is refused', async () => {
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

  it('with TLS is told from one without, and must have a certificate that is trusted', async () => {
    const folder = temporaryFolder();
    const [certificate, key] = ['certificate.pem', 'key.pem'].map((name) => path.join(folder, name));
    writeFileSync(certificate, CERTIFICATE);
    writeFileSync(key, KEY);
    const { url, port } = await RedisServer.startTls(certificate, key);
    const place = `127.0.0.1 on port ${port}`;
    expect(await refusal(url.replace('rediss', 'redis'))).toBe(
      `error: ${place} closes the connection at once; if it wants TLS, write rediss:// instead of redis://\n`,
    );
    expect(await refusal(url)).toBe(
      `error: the certificate of ${place} is not trusted (self-signed certificate); if you know its authority, save the ` +
        'certificate of that in a file, and name the file in the environment variable NODE_EXTRA_CA_CERTS\n',
    );
    const env = { NODE_EXTRA_CA_CERTS: certificate };
    expect(await refusal(url, env)).toMatch(
      `error: the certificate of ${place} is for another host (Hostname/IP does not match certificate's altnames: `,
    );
    const { child } = await startWorker({ url: url.replace('127.0.0.1', 'localhost') }, [], { env });
    child.kill('SIGTERM');
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
