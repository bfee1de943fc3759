import type { Redis } from 'ioredis';
import { shownUrl } from '../../dataset/download/address.ts';
import { UsageError, UserError } from '../../errors.ts';

/** Time in which a server has to answer before anything is begun. */
const ANSWER_MS = 3000;
/** A silent connection is opened again after this time: longer than a worker waits for a job. */
const SILENCE_MS = 20_000;

/** The packages that a queue needs. They are optional: everything else works without them. */
export type Packages = Pick<typeof import('bullmq'), 'Queue' | 'Worker' | 'DelayedError'> &
  Pick<typeof import('ioredis'), 'Redis'>;

/** A connection to the server of a queue. */
export interface Connection {
  readonly packages: Packages;
  readonly redis: Redis;
  /** The address without its password, for messages. */
  readonly shown: string;
  /** Ends the connection at once. */
  close(): void;
}

/** Connects to a Redis server, and opens the connection again whenever it breaks.
 *  @param url redis:// or rediss://, with user, password and number of the database.
 *  @throws UsageError if it is no such URL; UserError if packages are missing, or if the server cannot be reached, does not admit
 *  us, or cannot be used. */
export async function connect(url: string): Promise<Connection> {
  expectAddress(url);
  const packages = await loadPackages();
  const shown = shownUrl(url);
  await expectUsable(url, shown, packages.Redis);
  const redis = new packages.Redis(url, {
    maxRetriesPerRequest: null,
    enableReadyCheck: true,
    socketTimeout: SILENCE_MS,
    keepAlive: SILENCE_MS,
    retryStrategy: (times) => Math.min(100 * times, 2000),
  });
  // Those who wait for an answer learn of errors; commands are sent again.
  redis.on('error', () => {});
  return { packages, redis, shown, close: () => redis.disconnect() };
}

/** @throws UsageError */
function expectAddress(url: string): void {
  const wanted = 'redis://[user:password@]host[:port][/database], or rediss:// for TLS';
  if (/^rediss?:\/\/./i.test(url) && URL.canParse(url) && /^(\/\d*)?$/.test(new URL(url).pathname)) return;
  throw new UsageError(`the address of a queue must be ${wanted}; got ${shownUrl(url) || 'an empty string'}`);
}

async function loadPackages(): Promise<Packages> {
  try {
    const [{ Queue, Worker, DelayedError }, { Redis }] = await Promise.all([import('bullmq'), import('ioredis')]);
    return { Queue, Worker, DelayedError, Redis };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new UserError(
      'a queue needs the packages bullmq and ioredis, which are not installed; install them with: npm install bullmq ioredis',
      undefined,
      { cause: error },
    );
  }
}

/** Tries the connection once, with a limit of time, and a command that needs memory.
 *  @throws UserError that says what is wrong */
async function expectUsable(url: string, shown: string, Client: typeof Redis): Promise<void> {
  const options = {
    lazyConnect: true,
    connectTimeout: ANSWER_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  };
  const redis = new Client(url, options);
  let first: Error | undefined;
  redis.on('error', (error) => {
    first ??= error;
  });
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(first ?? new Error('nothing came back')), ANSWER_MS);
  });
  try {
    const policy = await Promise.race([silence, probe(redis)]);
    // The client goes on with the first database if there is none of the number that was asked for.
    if (first) throw first;
    if (policy !== undefined && policy !== 'noeviction') {
      throw new UserError(
        `the server ${shown} drops data when its memory is full (maxmemory-policy ${policy}), and would lose trials; set it to noeviction`,
      );
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(connectionProblem(first ?? (error as Error), url), undefined, { cause: error });
  } finally {
    clearTimeout(timer);
    redis.disconnect();
  }
}

/** Resolves to what the server does when its memory is full. */
async function probe(redis: Redis): Promise<string | undefined> {
  await redis.connect();
  await redis.set('nn-train:probe', '', 'EX', 1);
  return /^maxmemory_policy:(\S+)/m.exec(await redis.info('memory'))?.[1];
}

/** What is wrong with a connection, and what to do. */
function connectionProblem(error: Error & { readonly code?: string }, url: string): string {
  const { message, code } = error;
  const isTls = /^rediss:/i.test(url);
  const { hostname, port } = new URL(url);
  const place = `${hostname} on port ${port || 6379}`;
  if (code === 'ECONNREFUSED')
    return `nothing listens at ${place}; start the Redis server of the queue, or correct the address`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `the host ${hostname} of the queue is not known; correct the address`;
  if (/NOAUTH/.test(message)) return `${place} wants a password; give it in the address, as redis://:PASSWORD@host`;
  if (/WRONGPASS|invalid password|without any password configured/.test(message)) {
    return `${place} refuses the user name or password; correct the address`;
  }
  if (/NOPERM/.test(message))
    return `${place} does not allow this user what a queue needs; give it all commands on nn-train:*`;
  if (/OOM/.test(message)) {
    return `the memory of the Redis server at ${place} is full; raise its maxmemory, or remove what is not needed`;
  }
  if (/READONLY/.test(message)) return `${place} is a replica that cannot be written; give the address of its master`;
  if (/MISCONF/.test(message))
    return `${place} refuses to write because it cannot save to its disk; see the log of the server`;
  if (/LOADING/.test(message)) return `${place} is still loading its data; try again in a moment`;
  if (/DB index|invalid DB/i.test(message)) return `${place} has no database of this number; correct the address`;
  const certificate = certificateProblem(error);
  if (certificate !== undefined) return `the certificate of ${place} ${certificate}`;
  if (isTls && (/SSL|EPROTO|wrong version/i.test(`${code} ${message}`) || !isReset(error))) {
    return `${place} does not answer with TLS; if it has none, write redis:// instead of rediss://`;
  }
  if (isReset(error)) {
    const other = isTls
      ? 'if it has no TLS, write redis:// instead of rediss://'
      : 'if it wants TLS, write rediss:// instead of redis://';
    return `${place} closes the connection at once; ${other}`;
  }
  return `${place} does not answer as a Redis server (${message}); correct the address, or look at the server`;
}

/** What is wrong with the certificate of a server, if that is it. */
function certificateProblem({ message, code }: Error & { readonly code?: string }): string | undefined {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `is for another host (${message.split('\n')[0]}); give the address with the name in the certificate`;
  }
  if (code === 'CERT_HAS_EXPIRED') return 'has expired; renew it on the server';
  if (!/certificate|self.signed|CERT/i.test(`${code} ${message}`)) return undefined;
  // Newer versions of Node add advice of their own.
  const [problem] = message.split(';');
  return (
    `is not trusted (${problem}); if you know its authority, save the certificate of that in a file, and name the file in ` +
    'the environment variable NODE_EXTRA_CA_CERTS'
  );
}

function isReset({ code, message }: Error & { readonly code?: string }): boolean {
  return (
    code === 'ECONNRESET' ||
    code === 'EPIPE' ||
    /Connection is closed|closed the connection|disconnected before/i.test(message)
  );
}
