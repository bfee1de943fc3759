import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { DivergedError, FileError, UsageError } from '../../src/errors.ts';
import type { RunEvent } from '../../src/runs/events.ts';
import { RunDirectory } from '../../src/runs/run-directory.ts';
import { train } from '../../src/runs/train.ts';
import { decodeSafetensors } from '../../src/weights/decode.ts';
import { temporaryFolder } from '../support/files.ts';
import { CONFIG, DATASET, trainIn } from '../support/short-run.ts';

const stepOf = (file: string) => {
  const { metadata } = decodeSafetensors(readFileSync(file), file);
  return JSON.parse(metadata.progress).step;
};

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a checkpoint', () => {
  it('never contains NaN or infinite weights', async () => {
    const out = path.join(temporaryFolder(), 'run');
    const config = resolveConfig({ precision: 'float32', val: 0, batchSize: 100, epochs: 5, lr: 1e300 });
    const training = train({ config, dataset: DATASET, backend: new ReferenceBackend(), out });
    await expect(training).rejects.toThrow(DivergedError);
    await expect(training).rejects.toThrow("'linear.weight' holds a number that is NaN or infinite after step 1");
    expect(stepOf(path.join(out, 'last.safetensors'))).toBe(0);
  });
});

describe('a run directory', () => {
  it('is complete from the start', async () => {
    const folder = temporaryFolder();
    const out = path.join(folder, 'a/run');
    await trainIn(out, (event) => {
      if (event.type !== 'run-started') return;
      expect(readdirSync(out).sort()).toEqual([
        'config.json',
        'last.safetensors',
        'lock',
        'metrics.jsonl',
        'steps.jsonl',
        'times.json',
      ]);
      expect(stepOf(path.join(out, 'last.safetensors'))).toBe(0);
    });
    expect(readdirSync(path.join(folder, 'a'))).toEqual(['run']);
  });

  it('gets the metrics of an epoch before its checkpoint, so that a kill between the two loses no line', async () => {
    const out = path.join(temporaryFolder(), 'run');
    const training = trainIn(out, (event) => {
      if (event.type !== 'run-started') return;
      // A folder in place of the file: the line cannot be written.
      rmSync(path.join(out, 'metrics.jsonl'));
      mkdirSync(path.join(out, 'metrics.jsonl'));
    });
    await expect(training).rejects.toThrow(FileError);
    await expect(training).rejects.toThrow(/cannot write .*metrics\.jsonl: it is a folder/);
    expect(stepOf(path.join(out, 'last.safetensors'))).toBe(0);
  });

  it('has a line per step with the numbers of its event', async () => {
    const out = path.join(temporaryFolder(), 'run');
    const events: Extract<RunEvent, { type: 'step' }>[] = [];
    await trainIn(out, (event) => {
      if (event.type === 'step') events.push(event);
    });
    const lines = readFileSync(path.join(out, 'steps.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(12);
    for (const [i, { loss, accuracy, learningRate }] of events.entries()) {
      const line = JSON.parse(lines[i]);
      expect(line.step).toBe(i + 1);
      for (const [name, value] of Object.entries({ loss, accuracy, learningRate })) {
        expect(Math.abs(line[name] - value), name).toBeLessThanOrEqual(5e-7 * Math.abs(value));
      }
    }
    // The metrics of an epoch are the means of its steps.
    const [epoch] = readFileSync(path.join(out, 'metrics.jsonl'), 'utf8')
      .split('\n')
      .map((line) => line && JSON.parse(line));
    const mean = (name: 'loss' | 'accuracy') => events.slice(0, 4).reduce((sum, event) => sum + event[name] / 4, 0);
    expect(epoch.train.loss).toBeCloseTo(mean('loss'), 10);
    expect(epoch.train.accuracy).toBeCloseTo(mean('accuracy'), 10);
  });

  it('gets a checkpoint every minute during a long epoch', async () => {
    const out = path.join(temporaryFolder(), 'run');
    const clock = vi.spyOn(performance, 'now');
    let now = 0;
    clock.mockImplementation(() => now);
    const saved: number[] = [];
    await trainIn(out, (event) => {
      if (event.type !== 'step') return;
      now += 25_000;
      saved.push(stepOf(path.join(out, 'last.safetensors')));
    });
    // An epoch is four steps of 25 s, so the last checkpoint is 75 s old at its fourth step.
    expect(saved.slice(0, 4)).toEqual([0, 0, 0, 4]);
  });

  it('is the same for the same seed, byte for byte, except for the times', async () => {
    const [one, other] = [path.join(temporaryFolder(), 'run'), path.join(temporaryFolder(), 'run')];
    await trainIn(one);
    // With a slash at the end, as shell completion adds it.
    await trainIn(`${other}/`);
    for (const name of ['config.json', 'steps.jsonl', 'last.safetensors', 'best.safetensors']) {
      expect(readFileSync(path.join(one, name)).equals(readFileSync(path.join(other, name))), name).toBe(true);
    }
  });

  it('drops lines that a killed run wrote after its checkpoint, and incomplete lines', async () => {
    const out = path.join(temporaryFolder(), 'run');
    await trainIn(out);
    const files = ['metrics.jsonl', 'steps.jsonl'].map((name) => path.join(out, name));
    // Three epochs of four steps.
    const [epochs, steps] = files.map((file) => readFileSync(file, 'utf8').trimEnd().split('\n'));
    expect([epochs.length, steps.length]).toEqual([3, 12]);
    const contents = () => files.map((file) => readFileSync(file, 'utf8'));
    const lines = (kept: readonly string[]) => kept.map((line) => `${line}\n`).join('');
    for (const file of files) appendFileSync(file, '{"epoch":4,"step":13,"lo');
    const run = await RunDirectory.open(out);
    await run.rewind(2, 9);
    expect(contents()).toEqual([lines(epochs.slice(0, 2)), lines(steps.slice(0, 9))]);
    await run.rewind(0, 0);
    expect(contents()).toEqual(['', '']);
    // Runs of earlier versions have no steps.jsonl.
    rmSync(files[1]);
    await run.rewind(0, 0);
    expect(contents()).toEqual(['', '']);
  });

  it('fails without leaving a temporary file if it cannot be written on an interruption', async () => {
    const out = path.join(temporaryFolder(), 'run');
    const controller = new AbortController();
    const training = train({
      config: CONFIG,
      dataset: DATASET,
      backend: new ReferenceBackend(),
      out,
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type !== 'step') return;
        // A file cannot replace a folder that is not empty.
        rmSync(path.join(out, 'last.safetensors'));
        mkdirSync(path.join(out, 'last.safetensors/inside'), { recursive: true });
        controller.abort('SIGINT');
      },
    });
    await expect(training).rejects.toThrow(/cannot write .*last\.safetensors/);
    expect(readdirSync(out).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('cannot be opened if files are missing', async () => {
    const folder = temporaryFolder();
    await expect(RunDirectory.open(folder)).rejects.toThrow(UsageError);
    await expect(RunDirectory.open(folder)).rejects.toThrow('it has no config.json and no last.safetensors');
  });
});
