import { setTimeout as sleep } from 'node:timers/promises';
import { kindOf } from '../../file-kinds.ts';
import { integer } from '../../format.ts';
import { expectSpace } from '../space.ts';
import { shownUrl } from './address.ts';
import type { Client, Response } from './client.ts';
import { TransferError } from './failures.ts';
import { anySignal, type TransferLimits, withTimeout } from './limits.ts';
import { hashFile, type Origin, PartialFile } from './partial.ts';

/** Remote file, with its size and hash if they are known in advance. */
export interface Remote {
  readonly url: string;
  readonly bytes?: number;
  /** Hexadecimal digits. */
  readonly sha256?: string;
}

export interface TransferOptions {
  readonly client: Client;
  /** Limits, with the minimum rate for this transfer. */
  readonly limits: TransferLimits;
  /** Bytes that will be needed in the same place once the file is complete. */
  readonly neededLater?: number;
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes received so far, including those of earlier attempts, and the total if it is known. */
  readonly onProgress?: ((received: number, total: number | undefined) => void) | undefined;
}

/** Consecutive reconnections without a new byte before a transfer fails. */
const MAX_FRUITLESS_ATTEMPTS = 3;

/** Downloads a file to `path`, resuming an earlier attempt of this process or another.
 *
 *  Reopens a broken connection as long as that brings more bytes. If the transfer fails, the bytes received stay in
 *  `path.part`; `path` itself appears only when the file is complete and, if its hash is known, verified.
 *  @throws TransferError. Rejects with the reason of `signal` if it is aborted. */
export async function transfer(remote: Remote, path: string, options: TransferOptions): Promise<void> {
  if (await isDownloaded(path, remote)) return;
  const partial = new PartialFile(path);
  const address = shownUrl(remote.url);
  let [furthest, fruitless] = [0, 0];
  try {
    for (;;) {
      await partial.load(address);
      if (!isCheckable(remote, partial)) await partial.discard();
      const sizeBefore = partial.size;
      const error = await attempt(remote, partial, options);
      if (!error) return;
      fruitless = partial.size > furthest ? 0 : fruitless + 1;
      furthest = Math.max(furthest, partial.size);
      // The earlier bytes may have been corrupted on disk or belong to another version of the file.
      const isWorthRestarting = error.kind === 'damaged' && sizeBefore > 0;
      // A server that has sent nothing yet is not asked twice.
      const isWorthResuming = error.kind === 'disconnected' && furthest > 0 && fruitless < MAX_FRUITLESS_ATTEMPTS;
      if (!isWorthRestarting && !isWorthResuming) throw error;
      await partial.close();
      await sleep(options.limits.retryDelay * 2 ** fruitless, undefined, { signal: options.signal }).catch(() => {});
      options.signal?.throwIfAborted();
    }
  } finally {
    await partial.close();
  }
}

/** Makes one attempt. Resolves to the error if it fails, or to undefined once the file is in place. */
async function attempt(remote: Remote, partial: PartialFile, options: TransferOptions) {
  try {
    if (!partial.isComplete) await receive(remote, partial, options);
    await verify(remote, partial);
    await partial.finish();
    return undefined;
  } catch (error) {
    if (error instanceof TransferError) return error;
    throw error;
  }
}

/** Whether an earlier run has downloaded the complete file. */
async function isDownloaded(path: string, { url, sha256 }: Remote): Promise<boolean> {
  const got = await hashFile(path);
  return got !== undefined && (sha256 === undefined ? !isAmbiguous(url) : got === sha256);
}

/** Whether it would be noticed if the partial file were the beginning of another version of the file, or of another file. */
function isCheckable({ url, sha256 }: Remote, { origin, isComplete }: PartialFile): boolean {
  if (sha256 !== undefined) return true;
  // The server compares the validator, but is not asked for the rest of a complete file.
  return origin?.validator !== undefined && !(isComplete && isAmbiguous(url));
}

/** Whether the stored address may stand for several files: for `?id=1` and for `?id=2`. */
function isAmbiguous(url: string): boolean {
  return shownUrl(url) !== url;
}

async function receive(remote: Remote, partial: PartialFile, options: TransferOptions): Promise<void> {
  const closing = new AbortController();
  const send = () => request(remote, partial, options, closing.signal);
  try {
    let response = await send();
    if (partial.size > 0 && !isContinuation(response, partial)) {
      await partial.discard();
      // A 200 response has the complete file; any other answered a range request for bytes that are gone now.
      if (response.status !== 200) response = await send();
    }
    const origin = checkResponse(response, remote, partial, options.limits);
    const { total = partial.size } = origin;
    await expectSpace(partial.folder, total - partial.size + (options.neededLater ?? 0));
    if (partial.size > 0) await partial.resume();
    else await partial.restart(origin);
    await saveBody(response, origin, partial, options);
  } finally {
    closing.abort();
  }
}

function request({ url }: Remote, partial: PartialFile, options: TransferOptions, closing: AbortSignal) {
  // No compression: the hash is that of the file as stored, not of what fetch would decompress.
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (partial.size > 0) {
    headers.range = `bytes=${partial.size}-`;
    if (partial.origin?.validator) headers['if-range'] = partial.origin.validator;
  }
  const timeout = options.limits.idleTimeout;
  return options.client.request(url, { headers, timeout, signal: anySignal(options.signal, closing) });
}

/** Whether a response continues the partial file. */
function isContinuation(response: Response, { size, origin }: PartialFile): boolean {
  if (response.status !== 206) return false;
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '') ?? [];
  const validator = validatorOf(response);
  return (
    Number(first) === size &&
    (total === '*' || origin?.total === undefined || Number(total) === origin.total) &&
    (validator === undefined || validator === origin?.validator)
  );
}

/** Checks the headers of a response and returns its origin.
 *  @throws TransferError if it cannot be the file or the rest of it. */
function checkResponse(
  response: Response,
  { url, bytes }: Remote,
  { size, origin }: PartialFile,
  { maxBytes }: TransferLimits,
): Origin {
  const unavailable = (reason: string) => new TransferError(url, reason, 'unavailable');
  const wanted = size > 0 ? 206 : 200;
  if (response.status !== wanted) {
    throw unavailable(`HTTP status ${`${response.status} ${response.statusText}`.trim()}, wanted ${wanted}`);
  }
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('text/html')) throw webPage(url, type);
  const encoding = response.headers.get('content-encoding') ?? 'identity';
  if (encoding !== 'identity') throw unavailable(`received content encoding ${encoding}, wanted none`);
  const length = response.headers.get('content-length');
  const total = length === null ? origin?.total : size + Number(length);
  if (bytes !== undefined && total !== undefined && total !== bytes) {
    throw unavailable(`the file has ${integer(total)} bytes, wanted ${integer(bytes)}`);
  }
  if (total !== undefined && total > maxBytes) throw tooLarge(url, `the file has ${integer(total)} bytes`, maxBytes);
  return { url: shownUrl(url), validator: validatorOf(response), total: total ?? bytes };
}

function validatorOf({ headers }: Response): string | undefined {
  const etag = headers.get('etag');
  // A weak ETag ("W/…") guarantees equivalent content, not equal bytes.
  return (etag?.startsWith('"') ? etag : undefined) ?? headers.get('last-modified') ?? undefined;
}

async function saveBody(response: Response, { url, total }: Origin, partial: PartialFile, options: TransferOptions) {
  const { limits, signal, onProgress } = options;
  onProgress?.(partial.size, total);
  const reader = response.body!.getReader();
  let [since, before] = [performance.now(), partial.size];
  for (;;) {
    // Once the whole response has arrived, an aborted fetch neither throws nor ends the stream.
    signal?.throwIfAborted();
    const { done, value } = await withTimeout(reader.read(), url, limits.idleTimeout, signal);
    if (done) break;
    if (partial.size === 0 && kindOf(value)?.id === 'page') {
      await partial.discard();
      throw webPage(url, startOf(value));
    }
    await partial.append(value);
    onProgress?.(partial.size, total);
    if (partial.size > (total ?? limits.maxBytes)) break;
    const seconds = (performance.now() - since) / 1000;
    if (seconds * 1000 < limits.rateWindow) continue;
    const rate = (partial.size - before) / seconds;
    if (rate < limits.minRate) throw tooSlow(url, rate, limits.minRate);
    [since, before] = [performance.now(), partial.size];
  }
  signal?.throwIfAborted();
  if (total === undefined ? partial.size <= limits.maxBytes : partial.size === total) return;
  // The response is complete or too long, so another attempt would not help.
  const got = integer(partial.size);
  await partial.discard();
  if (total === undefined) throw tooLarge(url, `received ${got} bytes and more`, limits.maxBytes);
  const wanted = integer(total);
  throw new TransferError(url, `received ${got} bytes, wanted ${wanted}`, 'unavailable');
}

/** @param sign its content type or its beginning. */
function webPage(url: string, sign: string): TransferError {
  const advice = 'if this network has a login page, log in with a browser first';
  return new TransferError(url, `received a web page (${sign}), wanted a file; ${advice}`, 'unavailable');
}

function startOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 60)).toString().trim().split('\n')[0];
}

function tooLarge(url: string, got: string, maxBytes: number): TransferError {
  return new TransferError(
    url,
    `${got}, wanted CIFAR-10, which has less than ${integer(maxBytes)} bytes`,
    'unavailable',
  );
}

function tooSlow(url: string, rate: number, minRate: number): TransferError {
  const [got, wanted] = [rate, minRate].map((bytes) => `${(bytes / 1000).toFixed(0)} kB/s`);
  return new TransferError(url, `too slow: ${got}, wanted at least ${wanted}`, 'slow', { rate });
}

/** Checks the hash of a complete file. Discards the file and throws a TransferError if it is wrong. */
async function verify({ url, sha256 }: Remote, partial: PartialFile): Promise<void> {
  if (sha256 === undefined) return;
  const got = await partial.sha256();
  if (got === sha256) return;
  const size = integer(partial.size);
  await partial.discard();
  const reason = `the ${size} bytes received have SHA-256 ${got}, wanted ${sha256}: corrupted in transit, or another file`;
  throw new TransferError(url, reason, 'damaged');
}
