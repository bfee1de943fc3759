import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Random } from '../../../src/random.ts';
import { type Finished, nnTrain, OWN_NAME } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';

const EPOCHS = 12;
/** Calls to the file system among which a kill falls: those of the first epochs of a run of which there are several times
 *  as many. */
const OPERATIONS = 60;
const RUN = [
  '--model',
  'mlp',
  '--hidden',
  '16',
  '--dropout',
  '0.2',
  '--dataset',
  'synthetic',
  '--train-limit',
  '1500',
].concat(['--val', '100', '--batch-size', '50', '--epochs', String(EPOCHS)]);

/** Everything that must not depend on interruptions: the bytes of the checkpoints and of the log of steps, and the metrics
 *  of every epoch. */
function outcome(run: string) {
  const [last, best] = ['last', 'best'].map((name) => readFileSync(path.join(run, `${name}.safetensors`), 'hex'));
  const lines = readFileSync(path.join(run, 'metrics.jsonl'), 'utf8').trimEnd().split('\n');
  const epochs = lines.map((line) => {
    const { epoch, step, train, validation } = JSON.parse(line);
    return { epoch, step, train, validation };
  });
  return { last, best, epochs, steps: readFileSync(path.join(run, 'steps.jsonl'), 'utf8') };
}

async function uninterrupted() {
  const cwd = temporaryFolder();
  const { code, stdout } = await nnTrain([...RUN, '--out', 'run', '--json'], { cwd });
  expect(code).toBe(0);
  return { ...outcome(path.join(cwd, 'run')), test: JSON.parse(stdout).test };
}

describe('a killed run', () => {
  it('ends with the bits of an uninterrupted run after it is resumed', async () => {
    const expected = await uninterrupted();
    expect(expected.epochs).toHaveLength(EPOCHS);
    const steps = expected.steps
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 30 * EPOCHS }, (_, i) => i + 1));
    expect(steps.filter(({ updateRatios }) => updateRatios).map(({ step }) => step)).toEqual([100, 200, 300]);
    const random = new Random(Date.now(), 'kill');
    for (let round = 0; round < 3; round++) {
      const cwd = temporaryFolder();
      const operations: number[] = [];
      let finished: Finished | undefined;
      // Kill it before a random call to the file system, since only these change what is left behind, and resume it, until
      // it has been killed three times while training.
      for (let kills = 0; finished?.code !== 0; ) {
        const operation = 1 + random.integer(OPERATIONS);
        operations.push(operation);
        finished = await nnTrain(existsRun(cwd) ? ['--resume', 'run', '--json'] : [...RUN, '--out', 'run', '--json'], {
          cwd,
          signalItself: kills < 3 ? { signal: 'SIGKILL', operation } : undefined,
        });
        const { code, signal, stderr } = finished;
        expect([code, signal], stderr).toEqual(kills < 3 ? [null, 'SIGKILL'] : [0, null]);
        if (existsRun(cwd)) kills++;
      }
      const label = `killed before operations ${operations}`;
      const { last, best, epochs, steps } = outcome(path.join(cwd, 'run'));
      expect(steps === expected.steps, label).toBe(true);
      expect(epochs, label).toEqual(expected.epochs);
      expect(last === expected.last, label).toBe(true);
      expect(best === expected.best, label).toBe(true);
      expect(JSON.parse(finished.stdout).test, label).toEqual(expected.test);
    }
  });
});

function existsRun(cwd: string): boolean {
  try {
    readFileSync(path.join(cwd, 'run/config.json'));
    return true;
  } catch {
    return false;
  }
}

describe('an interrupted run', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s is saved, says how to resume, exits with %i and can be resumed', async (signal, exitCode) => {
    const expected = await uninterrupted();
    const cwd = temporaryFolder();
    const signalItself = { signal, text: `2/${EPOCHS} ` };
    const stopped = await nnTrain([...RUN, '--out', 'my run'], { cwd, signalItself });
    expect(stopped.code).toBe(exitCode);
    const [, step, command] = stopped.stderr.match(
      /^stopping; press Ctrl-C again to quit at once\nstopped after step (\d+) and saved, with a report in my run\/report\.html; resume with:\n {2}(.*) --resume 'my run'\n$/,
    )!;
    expect(command).toBe(OWN_NAME);
    expect(Number(step)).toBeGreaterThanOrEqual(60);
    expect(Number(step)).toBeLessThan(30 * EPOCHS);
    expect(stopped.stdout).not.toMatch(/^test /m);

    const resumed = await nnTrain(['--resume', 'my run', '--json'], { cwd });
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toContain(`from   step ${step}, `);
    expect(JSON.parse(resumed.stdout).test).toEqual(expected.test);
    const { test, ...bits } = expected;
    expect(outcome(path.join(cwd, 'my run'))).toEqual(bits);
  });

  it('prints no JSON', async () => {
    const cwd = temporaryFolder();
    const signalItself = { signal: 'SIGINT', text: `1/${EPOCHS} ` } as const;
    const { code, stdout } = await nnTrain([...RUN, '--json', '--no-save'], { cwd, signalItself });
    expect([code, stdout]).toEqual([130, '']);
  });

  it('prints only its results again if it had finished', async () => {
    const cwd = temporaryFolder();
    const args = ['--dataset', 'synthetic', '--train-limit', '200', '--epochs', '1', '--out', 'run', '--json'];
    const once = JSON.parse((await nnTrain(args, { cwd })).stdout);
    expect(JSON.parse((await nnTrain(['--resume', 'run', '--json'], { cwd })).stdout)).toEqual(once);
    const { code, stdout, stderr } = await nnTrain(['--resume', 'run'], { cwd });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^run is already complete; there is nothing left to train\n\ntest {3}loss /);
    expect(stdout).not.toContain('train loss');
    expect((await nnTrain(['--resume', 'run', '--quiet'], { cwd })).stdout).toMatch(/^test /);
  });
});
