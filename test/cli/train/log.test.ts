import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { RunLog } from '../../../src/cli/train/log.ts';
import type { RunEvent } from '../../../src/runs/events.ts';
import { nnTrain, QUICK } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';

vi.mock('node:fs', async (importActual) => {
  const fs = await importActual<typeof import('node:fs')>();
  return { ...fs, writeSync: vi.fn(fs.writeSync) };
});

afterEach(() => {
  vi.mocked(writeSync).mockClear();
});

/** @param before what the file holds already. */
function openLog(before = '') {
  const file = path.join(temporaryFolder(), 'log.jsonl');
  writeFileSync(file, before);
  const written: string[] = [];
  const stderr = { write: (text: string) => written.push(text) };
  const log = new RunLog({ stderr, env: {} } as never, new Command(), file);
  const write = (epoch: number) => log.write({ type: 'epoch-ended', metrics: { epoch }, isBest: true } as RunEvent);
  const lines = () => readFileSync(file, 'utf8').split('\n');
  return { file, log, write, written, lines };
}

const epochOf = (line: string) => JSON.parse(line).epoch;

describe('the log', () => {
  it('gets the lines that could not be written as soon as they can be', () => {
    const { file, log, write, written, lines } = openLog();
    write(1);
    const before = readFileSync(file);
    // A folder in place of the file.
    rmSync(file);
    mkdirSync(file);
    write(2);
    write(3);
    rmdirSync(file);
    writeFileSync(file, before);
    write(4);
    log.close();
    expect(lines().slice(0, -1).map(epochOf)).toEqual([1, 2, 3, 4]);
    expect(written).toEqual([
      expect.stringMatching(/^note: cannot write the log .*: it is a folder; training goes on/),
    ]);
  });

  it('begins a line of its own after a part of a line that another run left', () => {
    const { write, lines } = openLog('{"epoch":1}\n{"epo');
    write(2);
    write(3);
    expect(lines().slice(0, 2)).toEqual(['{"epoch":1}', '{"epo']);
    expect(lines().slice(2, -1).map(epochOf)).toEqual([2, 3]);
  });

  it('repeats a line on the next one if the disk took only a part of it', async () => {
    const { write, written, lines } = openLog();
    write(1);
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      syscall: 'write',
    });
    const { writeSync: actual } = await vi.importActual<typeof import('node:fs')>('node:fs');
    vi.mocked(writeSync)
      .mockImplementationOnce((file, bytes) => actual(file, bytes as unknown as Buffer, 0, 20))
      .mockImplementationOnce(() => {
        throw full;
      });
    write(2);
    write(3);
    const [first, part, second, third, rest] = lines();
    expect([first, second, third].map(epochOf)).toEqual([1, 2, 3]);
    expect([part, rest]).toEqual([second.slice(0, 20), '']);
    expect(written).toHaveLength(1);
  });
});

describe('the end of a run', () => {
  const RUN = [...QUICK, '--log', 'log.jsonl', '--json', '--out', 'run'];

  it.each([
    ['diverged', 4, ['--lr', '1e6', '--epochs', '9'], undefined],
    ['interrupted', 130, ['--epochs', '4000'], { signal: 'SIGINT', text: ' 1/4000 ' } as const],
  ])('is in the log of a run that is %s', async (reason, wanted, args, signalItself) => {
    const cwd = temporaryFolder();
    const { code, stdout, stderr } = await nnTrain([...RUN, ...args], { cwd, signalItself });
    expect(code, stderr).toBe(wanted);
    const lines = readFileSync(path.join(cwd, 'log.jsonl'), 'utf8').trimEnd().split('\n');
    const { type, time, ...last } = JSON.parse(lines.at(-1)!);
    expect(type).toBe('run-stopped');
    expect(JSON.parse(stdout)).toEqual(last);
    expect(last).toMatchObject({ status: reason, model: 'linear', run: 'run', test: null, stopped: { reason } });
    expect(last.config).toMatchObject({ model: 'linear', trainLimit: 600 });
    const message = reason === 'diverged' ? /^training diverged: .*--lr/ : /^SIGINT$/;
    expect(last.stopped.message).toMatch(message);
  });
});
