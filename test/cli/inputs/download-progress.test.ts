import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DownloadProgress } from '../../../src/cli/inputs/download-progress.ts';
import type { Io } from '../../../src/cli/terminal/io.ts';

const A = 'https://example.org/a.parquet';
const B = 'https://example.org/b.tar.gz';
const MB = 1e6;

let written: string;

/** Writes to a pipe instead of a terminal. */
function progress(options: ConstructorParameters<typeof DownloadProgress>[1] = {}): DownloadProgress {
  const stderr = {
    write: (text: string) => {
      written += text;
      return true;
    },
  };
  return new DownloadProgress({ stderr, env: {} } as unknown as Io, options);
}

beforeEach(() => {
  written = '';
  vi.useFakeTimers({ toFake: ['performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Progress in steps of a tenth of a second. */
function receive(to: DownloadProgress, from: number, until: number, perSecond: number, total?: number): number {
  let received = from;
  for (; received < until; received += perSecond / 10) {
    to.show({ kind: 'progress', received, total });
    vi.advanceTimersByTime(100);
  }
  return received;
}

describe('without a terminal', () => {
  it('prints a line at the start and every 5 seconds, with the recent rate and the time left', () => {
    const to = progress({ hint: '(a hint)' });
    to.show({ kind: 'started', url: A, total: 100 * MB });
    const first = receive(to, 0, 40 * MB, 4 * MB, 100 * MB);
    // The rate is averaged over the last ten seconds.
    receive(to, first, 60 * MB, 1 * MB, 100 * MB);
    expect(written.split('\n')).toEqual([
      `downloading CIFAR-10 (100.0 MB) from ${A}`,
      '(a hint)',
      '20.0 MB of 100.0 MB, 4.0 MB/s, 20.0 s left',
      '40.0 MB of 100.0 MB, 4.0 MB/s, 15.0 s left',
      '45.0 MB of 100.0 MB, 2.5 MB/s, 22.0 s left',
      '50.0 MB of 100.0 MB, 1.0 MB/s, 50.0 s left',
      '55.0 MB of 100.0 MB, 1.0 MB/s, 45.0 s left',
      '',
    ]);
  });

  it('does not count the bytes of an earlier download for the rate', () => {
    const to = progress();
    to.show({ kind: 'started', url: A, total: undefined });
    receive(to, 60 * MB, 76 * MB, 3 * MB);
    expect(written.split('\n').slice(1)).toEqual(['resuming after 60.0 MB', '75.0 MB, 3.0 MB/s', '']);
  });

  it('names every failed source once, with its reason and the next source', () => {
    const to = progress();
    to.show({ kind: 'started', url: A, total: undefined });
    to.show({ kind: 'source-failed', url: A, reason: 'HTTP status 404', next: B });
    to.show({ kind: 'started', url: B, total: undefined });
    to.show({ kind: 'source-failed', url: B, reason: 'HTTP status 500', next: undefined });
    expect(written).toBe(`downloading CIFAR-10 from ${A}\n${A} failed: HTTP status 404;\ntrying ${B}\n`);
  });

  it('prints no progress with quiet', () => {
    const to = progress({ quiet: true });
    to.show({ kind: 'started', url: A, total: 100 * MB });
    receive(to, 0, 40 * MB, 4 * MB, 100 * MB);
    to.show({ kind: 'finished', path: '/cache' });
    expect(written).toBe(`downloading CIFAR-10 (100.0 MB) from ${A}\ndownloaded and verified: /cache\n`);
  });
});

describe('a download that is interrupted or fails', () => {
  async function end(reason: string | undefined) {
    const stopping = new AbortController();
    const to = progress({ command: 'nn-train data download --trust' });
    const failed = to.during(stopping.signal, async () => {
      to.show({ kind: 'started', url: A, total: undefined });
      receive(to, 0, 2 * MB, 1 * MB);
      if (reason !== undefined) stopping.abort(reason);
      stopping.signal.throwIfAborted();
      throw new Error('the network failed');
    });
    await expect(failed).rejects.toSatisfy((error) => (reason ?? 'the network failed') === (error.message ?? error));
    return written.split('\n').slice(1);
  }

  it('prints what is kept and how to resume if it was interrupted, and nothing otherwise', async () => {
    expect(await end('SIGINT')).toEqual(['stopped; 1.9 MB kept; resume with nn-train data download --trust', '']);
    written = '';
    expect(await end(undefined)).toEqual(['']);
  });
});
