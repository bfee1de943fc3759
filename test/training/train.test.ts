import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ReferenceBackend } from '../../src/backends/reference/reference.ts';
import type { Dataset } from '../../src/dataset/load.ts';
import { syntheticDataset } from '../../src/dataset/synthetic.ts';
import { DivergedError, FileError, UsageError } from '../../src/errors.ts';
import { resolveConfig } from '../../src/training/config.ts';
import { RunDirectory } from '../../src/training/run-directory.ts';
import { decodeSafetensors } from '../../src/training/safetensors.ts';
import { type RunEvent, train } from '../../src/training/train.ts';
import { temporaryFolder } from '../support/files.ts';

const DATASET: Dataset = {
  ...syntheticDataset({ trainCount: 100, testCount: 10 }),
  name: 'synthetic',
  source: 'generated',
  sha256: '0'.repeat(64),
};
const CONFIG = resolveConfig({ val: 20, batchSize: 20, epochs: 3 });

function trainIn(out: string, onEvent: (event: RunEvent) => void = () => {}) {
  return train({ config: CONFIG, dataset: DATASET, backend: new ReferenceBackend(), out, onEvent });
}

const stepOf = (file: string) => {
  const { metadata } = decodeSafetensors(readFileSync(file), file);
  return JSON.parse(metadata.progress).step;
};

afterEach(() => {
  vi.restoreAllMocks();
});

describe('train', () => {
  it('reports no result whose loss is no number', async () => {
    // One step: its loss is finite, but its update makes the weights infinite.
    const config = resolveConfig({ val: 0, trainLimit: 1, epochs: 1, lr: 1e300 });
    const training = train({ config, dataset: DATASET, backend: new ReferenceBackend(), out: null });
    await expect(training).rejects.toThrow(DivergedError);
    await expect(training).rejects.toThrow(/the loss is NaN at step 1 \(epoch 1\)/);
  });
});

describe('a checkpoint', () => {
  it('never holds weights that are no numbers', async () => {
    const out = path.join(temporaryFolder(), 'run');
    const config = resolveConfig({ val: 0, batchSize: 100, epochs: 5, lr: 1e300 });
    const training = train({ config, dataset: DATASET, backend: new ReferenceBackend(), out });
    await expect(training).rejects.toThrow(DivergedError);
    await expect(training).rejects.toThrow("'linear.weight' holds a number that is NaN or infinite after step 1");
    expect(stepOf(path.join(out, 'last.safetensors'))).toBe(0);
  });
});

describe('a run directory', () => {
  it('is whole from its first moment', async () => {
    const folder = temporaryFolder();
    const out = path.join(folder, 'a/run');
    await trainIn(out, (event) => {
      if (event.type !== 'run-started') return;
      expect(readdirSync(out).sort()).toEqual(['config.json', 'last.safetensors', 'metrics.jsonl', 'times.json']);
      expect(stepOf(path.join(out, 'last.safetensors'))).toBe(0);
    });
    expect(readdirSync(path.join(folder, 'a'))).toEqual(['run']);
  });

  it('has the metrics of an epoch before its checkpoint, so that a kill between the two loses no line', async () => {
    const out = path.join(temporaryFolder(), 'run');
    const training = trainIn(out, (event) => {
      if (event.type !== 'run-started') return;
      // A folder in the place of the file: the line cannot be written.
      rmSync(path.join(out, 'metrics.jsonl'));
      mkdirSync(path.join(out, 'metrics.jsonl'));
    });
    await expect(training).rejects.toThrow(FileError);
    await expect(training).rejects.toThrow(/cannot write .*metrics\.jsonl: it is a folder/);
    expect(stepOf(path.join(out, 'last.safetensors'))).toBe(0);
  });

  it('gets a checkpoint every minute within a long epoch', async () => {
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
    // Four steps of 25 s make an epoch; the fourth step of each comes 75 s after the last checkpoint.
    expect(saved.slice(0, 4)).toEqual([0, 0, 0, 4]);
  });

  it('is byte for byte the same for the same seed, but for the times', async () => {
    const [one, other] = [path.join(temporaryFolder(), 'run'), path.join(temporaryFolder(), 'run')];
    await trainIn(one);
    // With a slash at the end, as the completion of a shell types it.
    await trainIn(`${other}/`);
    for (const name of ['config.json', 'last.safetensors', 'best.safetensors']) {
      expect(readFileSync(path.join(one, name)).equals(readFileSync(path.join(other, name))), name).toBe(true);
    }
  });

  it('drops the metrics that a killed run wrote after its checkpoint, and a torn last line', async () => {
    const out = path.join(temporaryFolder(), 'run');
    await trainIn(out);
    const file = path.join(out, 'metrics.jsonl');
    const lines = readFileSync(file, 'utf8').split('\n');
    const run = await RunDirectory.open(out);
    writeFileSync(file, `${lines.slice(0, 3).join('\n')}\n{"epoch":4,"st`);
    await run.rewindMetrics(2);
    expect(readFileSync(file, 'utf8')).toBe(`${lines.slice(0, 2).join('\n')}\n`);
    await run.rewindMetrics(0);
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  it('keeps its earlier checkpoint, and says so, when it cannot be written on an interruption', async () => {
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
        // A folder that is not empty cannot be replaced by a file.
        rmSync(path.join(out, 'last.safetensors'));
        mkdirSync(path.join(out, 'last.safetensors/inside'), { recursive: true });
        controller.abort('SIGINT');
      },
    });
    await expect(training).rejects.toThrow(/cannot write .*last\.safetensors/);
    expect(readdirSync(out).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('is not opened where there is none', async () => {
    const folder = temporaryFolder();
    await expect(RunDirectory.open(folder)).rejects.toThrow(UsageError);
    await expect(RunDirectory.open(folder)).rejects.toThrow('it has no config.json and no last.safetensors');
  });
});
