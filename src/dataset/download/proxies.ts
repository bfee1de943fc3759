import { BlockList, isIP } from 'node:net';
import { UsageError } from '../../errors.ts';
import type { EnvironmentVariables } from '../locate.ts';
import { basicAuthorization, isHttp, shownUrl } from './address.ts';

/** A proxy that an environment variable names. */
export interface HttpProxy {
  readonly url: string;
  /** Value of the header `Proxy-Authorization`. */
  readonly token: string | undefined;
  /** Its address and variable, for messages. */
  readonly description: string;
}

/** The proxies of HTTP_PROXY, HTTPS_PROXY and NO_PROXY. As in undici's EnvHttpProxyAgent, the lower-case name of a variable
 *  goes before the upper-case one, and HTTP_PROXY is for https too if there is no HTTPS_PROXY. */
export class Proxies {
  readonly #http: HttpProxy | undefined;
  readonly #https: HttpProxy | undefined;
  readonly #exceptions: Exceptions;

  /** @throws UsageError if a variable has no valid address. */
  constructor(env: EnvironmentVariables) {
    this.#http = readProxy(env, 'HTTP_PROXY');
    this.#https = readProxy(env, 'HTTPS_PROXY') ?? this.#http;
    this.#exceptions = new Exceptions(env.no_proxy ?? env.NO_PROXY ?? '');
  }

  /** The proxy for a URL; undefined if its host is contacted directly. */
  for(url: URL): HttpProxy | undefined {
    if (this.#exceptions.include(url)) return undefined;
    return url.protocol === 'https:' ? this.#https : this.#http;
  }
}

/** The hosts that a value of NO_PROXY names: all of them (`*`), a host or a domain with all below it, with or without a port,
 *  an IP address or a block of them (`10.0.0.0/8`). */
class Exceptions {
  readonly #names: readonly string[];
  readonly #addresses = new BlockList();

  constructor(value: string) {
    const entries = value
      .toLowerCase()
      .split(/[,\s]+/)
      .filter(Boolean);
    this.#names = entries.filter((entry) => !this.#addAddress(entry));
  }

  include({ hostname, protocol, port: given }: URL): boolean {
    const address = hostname.replace(/^\[|\]$/g, '');
    const family = isIP(address);
    if (family !== 0 && this.#addresses.check(address, family === 6 ? 'ipv6' : 'ipv4')) return true;
    const port = given || (protocol === 'https:' ? '443' : '80');
    return this.#names.some((entry) => {
      const [, name = '', wanted = port] = /^(?:\*?\.)?(.+?)(?::(\d+))?$/.exec(entry) ?? [];
      return entry === '*' || (wanted === port && (hostname === name || hostname.endsWith(`.${name}`)));
    });
  }

  /** Adds an IP address or a block of them. Returns whether the entry is one. */
  #addAddress(entry: string): boolean {
    const [address, length] = entry.split('/');
    const family = isIP(address);
    const bits = family === 6 ? 128 : 32;
    const prefix = length === undefined ? bits : Number(length);
    if (family === 0 || !(prefix >= 0 && prefix <= bits)) return false;
    this.#addresses.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
    return true;
  }
}

function readProxy(env: EnvironmentVariables, name: string): HttpProxy | undefined {
  const variable = [name.toLowerCase(), name].find((spelling) => env[spelling] !== undefined);
  const value = variable === undefined ? undefined : env[variable]?.trim();
  if (!value) return undefined;
  // As curl, wget and pip do.
  const url = /^[a-z][a-z\d+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  if (!isHttp(url)) {
    throw new UsageError(
      `${variable} must be the address of an HTTP proxy, such as http://proxy.example.org:3128, got '${shownUrl(value)}'`,
    );
  }
  const address = new URL(url);
  return { url, token: basicAuthorization(address), description: `the proxy ${address.origin} (${variable})` };
}
