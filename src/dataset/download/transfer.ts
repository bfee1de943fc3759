import { setTimeout as sleep } from 'node:timers/promises';
import { either, type Patience, patiently, TransferError } from './network.ts';
import { hashFile, type Origin, PartialFile } from './partial.ts';

/** A file at an address, and what is known of it beforehand. */
export interface Remote {
  readonly url: string;
  readonly bytes?: number;
  /** In hexadecimal. */
  readonly sha256?: string;
}

export interface TransferOptions {
  readonly patience: Patience;
  /** Bytes per second; a server that sends less is left. */
  readonly leastRate: number;
  readonly signal?: AbortSignal | undefined;
  /** Bytes so far, those of earlier attempts included, and in all, if the server says. */
  readonly onProgress?: ((received: number, total: number | undefined) => void) | undefined;
}

/** So many times in a row a cut connection is opened again although that brings no more bytes. */
const FRUITLESS_ATTEMPTS = 3;

/** Fetches a file to `path`, beginning where an earlier attempt stopped, in this process or another.
 *
 *  A connection that is cut is opened again as long as that brings more bytes. What has come stays in `path.part` when
 *  it cannot go on; under its name the file appears only when it is whole and, where its hash is known, verified.
 *  @throws TransferError. Rejects with the reason of `signal` when that is aborted. */
export async function transfer(remote: Remote, path: string, options: TransferOptions): Promise<void> {
  if (await isThere(path, remote)) return;
  const partial = new PartialFile(path);
  let [furthest, fruitless] = [0, 0];
  try {
    for (;;) {
      await partial.recall(remote.url);
      // Without either, nothing could tell whether the rest belongs to the beginning.
      if (!remote.sha256 && !partial.origin?.validator) await partial.discard();
      const begun = partial.size;
      const error = await attempt(remote, partial, options);
      if (!error) return;
      fruitless = partial.size > furthest ? 0 : fruitless + 1;
      furthest = Math.max(furthest, partial.size);
      // What was there before may have been spoilt on the disk, or come from another version of the file.
      const isWorthRestart = error.kind === 'damaged' && begun > 0;
      // A server from which nothing has come yet is not asked twice.
      const isWorthResuming = error.kind === 'cut' && furthest > 0 && fruitless < FRUITLESS_ATTEMPTS;
      if (!isWorthRestart && !isWorthResuming) throw error;
      await partial.close();
      await sleep(options.patience.pause * 2 ** fruitless, undefined, { signal: options.signal }).catch(() => {});
      options.signal?.throwIfAborted();
    }
  } finally {
    await partial.close();
  }
}

/** Resolves to why the file did not come, or to undefined when it is in its place. */
async function attempt(remote: Remote, partial: PartialFile, options: TransferOptions) {
  try {
    if (!partial.isWhole) await receive(remote, partial, options);
    await verify(remote, partial);
    await partial.finish();
    return undefined;
  } catch (error) {
    if (error instanceof TransferError) return error;
    throw error;
  }
}

/** Whether an earlier run fetched all of it. */
async function isThere(path: string, { sha256 }: Remote): Promise<boolean> {
  const got = await hashFile(path);
  return got !== undefined && (sha256 === undefined || got === sha256);
}

async function receive(remote: Remote, partial: PartialFile, options: TransferOptions): Promise<void> {
  const closing = new AbortController();
  const ask = () => request(remote, partial, options, closing.signal);
  try {
    let response = await ask();
    if (partial.size > 0 && !continues(response, partial)) {
      await partial.discard();
      // A whole file (200) can be taken as it comes; any other answer was to a question that is void now.
      if (response.status !== 200) response = await ask();
    }
    const origin = check(response, remote, partial);
    if (partial.size > 0) await partial.proceed();
    else await partial.restart(origin);
    await save(response, origin, partial, options);
  } finally {
    closing.abort();
  }
}

function request({ url }: Remote, partial: PartialFile, options: TransferOptions, closing: AbortSignal) {
  // The file as it is: what fetch had decompressed would not have the right hash.
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (partial.size > 0) {
    headers.range = `bytes=${partial.size}-`;
    if (partial.origin?.validator) headers['if-range'] = partial.origin.validator;
  }
  const answer = fetch(url, { headers, signal: either(options.signal, closing) });
  return patiently(answer, url, options.patience.silence, options.signal);
}

/** Whether the answer is the rest of what is there already. */
function continues(response: Response, { size, origin }: PartialFile): boolean {
  if (response.status !== 206) return false;
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '') ?? [];
  const validator = validatorOf(response);
  return (
    Number(first) === size &&
    (total === '*' || origin?.total === undefined || Number(total) === origin.total) &&
    (validator === undefined || validator === origin?.validator)
  );
}

/** What the answer is of. @throws TransferError if it cannot be the file, or the rest of it. */
function check(response: Response, { url, bytes }: Remote, { size, origin }: PartialFile): Origin {
  const refuse = (why: string) => new TransferError(url, why, 'refused');
  const wanted = size > 0 ? 206 : 200;
  if (response.status !== wanted) {
    throw refuse(`it answered ${`${response.status} ${response.statusText}`.trim()}, wanted ${wanted}`);
  }
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('text/html')) throw refuse(`it answered with a web page (${type}), wanted a file`);
  const encoding = response.headers.get('content-encoding') ?? 'identity';
  if (encoding !== 'identity') throw refuse(`it answered in the encoding ${encoding}, wanted the file as it is`);
  const length = response.headers.get('content-length');
  const total = length === null ? origin?.total : size + Number(length);
  if (bytes !== undefined && total !== undefined && total !== bytes) {
    throw refuse(`its file has ${count(total)} bytes, wanted ${count(bytes)}`);
  }
  return { url, validator: validatorOf(response), total: total ?? bytes };
}

function validatorOf({ headers }: Response): string | undefined {
  const etag = headers.get('etag');
  // A weak ETag ("W/…") promises the same meaning, not the same bytes.
  return (etag?.startsWith('"') ? etag : undefined) ?? headers.get('last-modified') ?? undefined;
}

async function save(response: Response, { url, total }: Origin, partial: PartialFile, options: TransferOptions) {
  const { patience, leastRate, signal, onProgress } = options;
  onProgress?.(partial.size, total);
  const reader = response.body!.getReader();
  let [since, before] = [performance.now(), partial.size];
  for (;;) {
    // Where everything has arrived, fetch answers an abort neither with an error nor with the end.
    signal?.throwIfAborted();
    const { done, value } = await patiently(reader.read(), url, patience.silence, signal);
    if (done) break;
    await partial.append(value);
    onProgress?.(partial.size, total);
    if (total !== undefined && partial.size > total) break;
    const seconds = (performance.now() - since) / 1000;
    if (seconds * 1000 < patience.window) continue;
    const rate = (partial.size - before) / seconds;
    if (rate < leastRate) throw tooSlow(url, rate, leastRate);
    [since, before] = [performance.now(), partial.size];
  }
  signal?.throwIfAborted();
  if (total === undefined || partial.size === total) return;
  // The answer came to its end, so that no second try would bring more.
  const [got, wanted] = [partial.size, total].map(count);
  await partial.discard();
  throw new TransferError(url, `it sent ${got} bytes, wanted ${wanted}`, 'refused');
}

function tooSlow(url: string, rate: number, least: number): TransferError {
  const [got, wanted] = [rate, least].map((bytes) => `${(bytes / 1000).toFixed(0)} kB/s`);
  return new TransferError(url, `it sends ${got}, wanted at least ${wanted}`, 'slow', { rate });
}

/** Removes the file, and throws, if it has the wrong hash. */
async function verify({ url, sha256 }: Remote, partial: PartialFile): Promise<void> {
  if (sha256 === undefined) return;
  const got = await partial.sha256();
  if (got === sha256) return;
  const size = count(partial.size);
  await partial.discard();
  const why = `the ${size} bytes that came have the SHA-256 ${got}, wanted ${sha256}: damaged on the way, or another file`;
  throw new TransferError(url, why, 'damaged');
}

function count(n: number): string {
  return n.toLocaleString('en-US');
}
