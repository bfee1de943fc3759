import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { describe, onTestFinished } from 'vitest';
import { temporaryFolder } from './files.ts';

const isInstalled = spawnSync('redis-server', ['--version']).status === 0;
const isRequired = process.env.CI_REDIS === 'required';

/** A suite that needs a Redis server: skipped if there is none, unless CI_REDIS=required. */
export function describeRedis(name: string, suite: () => void): void {
  const title = isInstalled ? name : `${name} (skipped: no redis-server found; install the package redis-server)`;
  describe.skipIf(!isInstalled && !isRequired)(title, suite);
}

/** A Redis server on a free port of this machine, ended with the test. */
export class RedisServer {
  readonly port: number;
  readonly #folder = temporaryFolder();
  readonly #args: readonly string[];
  #process: ChildProcess | undefined;

  readonly #protocol: 'redis' | 'rediss';

  private constructor(port: number, args: readonly string[], protocol: 'redis' | 'rediss' = 'redis') {
    this.port = port;
    this.#args = args;
    this.#protocol = protocol;
  }

  static async start(...args: string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), args);
    onTestFinished(() => server.kill());
    await server.start();
    return server;
  }

  /** A server that speaks TLS alone. @param certificate and `key` are files. */
  static async startTls(certificate: string, key: string): Promise<RedisServer> {
    const port = await freePort();
    const tls = ['--port', '0', '--tls-port', `${port}`, '--tls-cert-file', certificate, '--tls-key-file', key];
    const server = new RedisServer(port, [...tls, '--tls-auth-clients', 'no'], 'rediss');
    onTestFinished(() => server.kill());
    await server.start();
    return server;
  }

  get url(): string {
    return `${this.#protocol}://127.0.0.1:${this.port}`;
  }

  /** Starts it again, with what it has saved. */
  async start(): Promise<void> {
    const place = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.#folder];
    this.#process = spawn('redis-server', [...place, '--save', '', ...this.#args], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let log = '';
    await new Promise<void>((resolve, reject) => {
      this.#process!.stdout!.on('data', (text) => {
        log += text;
        if (log.includes('Ready to accept connections')) resolve();
      });
      this.#process!.once('exit', () => reject(new Error(`redis-server has ended:\n${log}`)));
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#process!.kill(name);
  }

  async kill(): Promise<void> {
    if (this.#process!.exitCode !== null || this.#process!.signalCode !== null) return;
    const exit = once(this.#process!, 'exit');
    this.signal('SIGKILL');
    await exit;
  }

  /** Sends a command. */
  async call(command: string, ...args: string[]): Promise<unknown> {
    const redis = new Redis(this.url);
    try {
      return await redis.call(command, ...args);
    } finally {
      redis.disconnect();
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
