import { type EventEmitter, once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Io } from '../../../src/cli/terminal/io.ts';
import { Watch } from '../../../src/cli/train/watch.ts';
import { LiveServer } from '../../../src/report/live-server.ts';
import type { RunReport } from '../../../src/report/report-data.ts';
import { nnTrain, QUICK } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';
import { runMain } from '../../support/in-process.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Options of a run whose epochs take much longer than the least time between two events. */
const SLOW = [
  '--dataset',
  'synthetic',
  '--model',
  'mlp',
  '--recipe',
  'plain',
  '--hidden',
  '300',
  '--val',
  '100',
  '--threads',
  '1',
];

/** All events of a page until its server stops. */
async function eventsOf(url: string): Promise<RunReport[]> {
  const [response] = await once(get(`${url}events`), 'response');
  expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return text.split('\n\n').flatMap((event) => (event === '' ? [] : [JSON.parse(event.replace(/^data: /, ''))]));
}

/** Trains with --watch on a free port, and collects the events of the page. Runs in this process: a separate one could end
 *  before a busy machine reads its page. */
async function watched(args: string[], onWrite: (text: string, io: EventEmitter) => void = () => {}) {
  let events: Promise<RunReport[]> | undefined;
  const finished = await runMain([...args, '--watch', '0'], {}, undefined, (text, io) => {
    const url = text.match(/^watch it at (http:\/\/127\.0\.0\.1:\d+\/)$/m)?.[1];
    if (url !== undefined) events = eventsOf(url);
    onWrite(text, io);
  });
  return { ...finished, events: await events! };
}

describe('--watch', () => {
  it('shows every epoch in time, and finally the results', async () => {
    const run = path.join(temporaryFolder(), 'run');
    const { code, stderr, stdout, events } = await watched([...SLOW, '--epochs', '4', '--out', run]);
    expect([code, stderr.split('\n').length]).toEqual([0, 2]);
    expect(stdout).toContain(`report ${run}/report.html`);
    const epochs = events.map((event) => event.epochs.length);
    for (const [i, event] of events.entries()) {
      // An event arrives for every epoch before the next ends.
      if (i > 0) expect([0, 1], `event ${i} of ${epochs}`).toContain(epochs[i] - epochs[i - 1]);
      expect(event.state).toBe(i < events.length - 1 ? 'training' : 'finished');
      expect(event.test === null).toBe(i < events.length - 1);
    }
    expect(epochs.at(-1)).toBe(4);
    expect(events.at(-1)!.test).toMatchObject({ images: 2000 });
    expect(events.at(-1)!.pictures!.pictures).toHaveLength(64);
  });

  it.each([
    ['', new AbortController().signal],
    [', without test results if they take too long', AbortSignal.abort('too long')],
  ])('shows a run that is not saved and is stopped%s', async (_, limit) => {
    vi.spyOn(AbortSignal, 'timeout').mockReturnValue(limit);
    const { code, stderr, events } = await watched([...SLOW, '--epochs', '99', '--no-save'], (text, io) => {
      if (text.includes('2/99 ')) io.emit('SIGINT', 'SIGINT');
    });
    expect(code).toBe(130);
    expect(stderr).toContain('nothing was saved');
    const last = events.at(-1)!;
    expect([last.state, last.files]).toEqual(['stopped', []]);
    expect(last.epochs.length).toBeGreaterThanOrEqual(2);
    if (limit.aborted) expect(last.test).toBeNull();
    else expect(last.test!.accuracy).toBeGreaterThan(0.1);
  });

  it('trains with the same bits', async () => {
    const cwd = temporaryFolder();
    const args = [...SLOW, '--train-limit', '3000', '--epochs', '2', '--json', '--no-save'];
    const plain = await nnTrain(args, { cwd });
    const { stdout } = await nnTrain([...args, '--watch', '0'], { cwd });
    for (const key of ['test', 'train', 'validation'])
      expect(JSON.parse(stdout)[key]).toEqual(JSON.parse(plain.stdout)[key]);
  });

  it('shows a failed run as stopped', async () => {
    const run = path.join(temporaryFolder(), 'run');
    const { code, stderr, events } = await watched([...SLOW, '--epochs', '99', '--out', run], (text) => {
      if (!text.includes(' 1/99 ')) return;
      // With a folder in place of the file, the next line cannot be written.
      rmSync(path.join(run, 'metrics.jsonl'));
      mkdirSync(path.join(run, 'metrics.jsonl'));
    });
    expect(code).toBe(1);
    expect(stderr).toContain(`cannot write ${run}/metrics.jsonl`);
    expect(events.at(-1)).toMatchObject({ state: 'stopped', test: null });
  });

  it.each(['70000', '-1', 'page', '80.5'])('rejects port %s', async (port) => {
    const { code, stderr } = await nnTrain([...QUICK, `--watch=${port}`]);
    expect([code, stderr]).toEqual([2, `error: --watch must be a port, an integer ≥ 0 and ≤ 65535, got ${port}\n`]);
  });

  it('fails before anything is saved if the port is in use', async () => {
    const other = await LiveServer.listen(0);
    onTestFinished(() => other.close());
    const cwd = temporaryFolder();
    const { code, stdout, stderr } = await nnTrain([...QUICK, '--out', 'run', '--watch', `${other.port}`], { cwd });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      `error: --watch cannot listen on port ${other.port}: the port is in use; choose another port, such as --watch 8080\n`,
    );
  });

  it('keeps serving until Ctrl-C in a terminal, and stops otherwise', async () => {
    const watch = await Watch.start('0');
    onTestFinished(() => watch.close());
    const controller = new AbortController();
    let text = '';
    const stderr = {
      isTTY: true,
      write: (line: string) => {
        text += line;
      },
    };
    let isOver = false;
    const serving = watch.keepServing({ stderr } as unknown as Io, controller.signal).then(() => {
      isOver = true;
    });
    await setImmediate();
    expect(isOver).toBe(false);
    expect(text).toBe(`serving the page at ${watch.url} until you press Ctrl-C\n`);
    controller.abort('SIGINT');
    await serving;
    await watch.keepServing({ stderr: { isTTY: false } } as unknown as Io, new AbortController().signal);
  });
});

describe('--open', () => {
  it('needs a report to open', async () => {
    const { code, stderr } = await nnTrain([...QUICK, '--no-save', '--open']);
    expect(code).toBe(2);
    expect(stderr).toContain('--open needs a report');
  });
});
