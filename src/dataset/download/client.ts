import type { Agent, Dispatcher, ProxyAgent, Response } from 'undici';
import type { EnvironmentVariables } from '../locate.ts';
import { basicAuthorization, shownUrl } from './address.ts';
import { DownloadError, TransferError } from './failures.ts';
import { anySignal, withTimeout } from './limits.ts';
import { type HttpProxy, Proxies } from './proxies.ts';

export type { Response } from 'undici';

interface RequestOptions {
  readonly method?: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds until the headers of each response must be there. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
const MAX_REDIRECTS = 20;

/** Sends the requests of a download, through the proxies of the environment and with the user name and password of a URL.
 *  undici is what Node's own fetch is made of. That one reads no proxy variables in most versions, and its connections
 *  cannot be closed: one that waits for a silent server or proxy would keep the process alive. */
export class Client {
  readonly #undici: typeof import('undici');
  readonly #proxies: Proxies;
  readonly #connectTimeout: number;
  /** By the URL of the proxy; undefined: no proxy. */
  readonly #agents = new Map<string | undefined, Agent | ProxyAgent>();

  private constructor(undici: typeof import('undici'), proxies: Proxies, connectTimeout: number) {
    this.#undici = undici;
    this.#proxies = proxies;
    this.#connectTimeout = connectTimeout;
  }

  /** @throws UsageError if a variable names a proxy by an invalid address; DownloadError without WebAssembly. */
  static async open(env: EnvironmentVariables, connectTimeout: number): Promise<Client> {
    // undici would crash the process.
    if (typeof WebAssembly === 'undefined')
      throw new DownloadError('downloading needs WebAssembly, which is switched off');
    const proxies = new Proxies(env);
    // Loaded on demand: it takes longer than the rest of the program to start.
    return new Client(await import('undici'), proxies, connectTimeout);
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#agents.values(), (agent) => agent.destroy()));
  }

  /** Sends a request and follows redirects. Those that leave the host get no password, and none leads from https to http.
   *  @throws TransferError if there is no response. */
  async request(url: string, options: RequestOptions): Promise<Response> {
    let address = new URL(url);
    let authorization = basicAuthorization(address);
    for (let n = 0; n <= MAX_REDIRECTS; n++) {
      const response = await this.#send(url, address, authorization, options);
      const location = response.headers.get('location');
      if (!REDIRECTS.includes(response.status) || location === null || options.method === 'HEAD') return response;
      await response.body?.cancel();
      const next = redirect(url, address, location);
      authorization = basicAuthorization(next) ?? (next.origin === address.origin ? authorization : undefined);
      address = next;
    }
    throw new TransferError(url, `it redirects more than ${MAX_REDIRECTS} times`, 'unavailable');
  }

  /** Checks that a server responds, with any status.
   *  @throws TransferError if it does not. */
  async checkReachable(url: string, timeout: number, signal?: AbortSignal): Promise<void> {
    const closing = new AbortController();
    try {
      await this.request(url, { method: 'HEAD', timeout, signal: anySignal(signal, closing.signal) });
    } finally {
      closing.abort();
    }
  }

  async #send(url: string, address: URL, authorization: string | undefined, options: RequestOptions) {
    const { method = 'GET', headers, timeout, signal = null } = options;
    const proxy = this.#proxies.for(address);
    const bare = new URL(address);
    // fetch refuses them in a URL.
    [bare.username, bare.password] = ['', ''];
    const response = this.#undici.fetch(bare, {
      method,
      headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
      redirect: 'manual',
      dispatcher: this.#dispatcher(proxy),
      signal,
    });
    try {
      return await withTimeout(response, url, timeout, options.signal);
    } catch (error) {
      throw proxy && error instanceof TransferError ? throughProxy(error, proxy) : error;
    }
  }

  #dispatcher(proxy: HttpProxy | undefined): Dispatcher {
    const known = this.#agents.get(proxy?.url);
    if (known) return known;
    const { Agent, ProxyAgent } = this.#undici;
    const limits = { timeout: this.#connectTimeout };
    const agent = proxy
      ? new ProxyAgent({
          uri: proxy.url,
          ...(proxy.token === undefined ? {} : { token: proxy.token }),
          // Many proxies let only https through a tunnel.
          proxyTunnel: false,
          proxyTls: limits,
          requestTls: limits,
        })
      : new Agent({ connect: limits });
    this.#agents.set(proxy?.url, agent);
    return agent;
  }
}

/** @throws TransferError unless the target is safe and can be requested. */
function redirect(url: string, from: URL, location: string): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  const isSafe = to?.protocol === 'https:' || (to?.protocol === 'http:' && from.protocol === 'http:');
  if (to !== undefined && isSafe) return to;
  const wanted = from.protocol === 'https:' ? 'https' : 'http or https';
  throw new TransferError(
    url,
    `it redirects to ${shownUrl(location)}, wanted an address with ${wanted}`,
    'unavailable',
  );
}

/** The same error with the proxy that caused it or, at least, was in between. */
function throughProxy({ url, reason, kind, cause }: TransferError, { description }: HttpProxy): TransferError {
  // undici says: Proxy response (403) !== 200 when HTTP Tunneling
  const [, status] = /Proxy (?:response|Authentication Required) \((\d+)\)/.exec(String(reason)) ?? [];
  if (status === undefined) return new TransferError(url, `through ${description}: ${reason}`, kind, { cause });
  const advice = status === '407' ? ': it wants a valid user and password, as in http://USER:PASSWORD@HOST:PORT' : '';
  return new TransferError(url, `${description} refused with HTTP status ${status}${advice}`, 'unavailable', { cause });
}
