import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../../src/random.ts';
import { scratchFolder } from '../../support/cifar10.ts';
import { type Finished, NN_TRAIN, nnTrain, OWN_NAME, QUICK } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';
import { runMain } from '../../support/in-process.ts';
import { onSmallCifar10 } from '../../support/small-cifar10.ts';

const EPOCHS = 12;
/** Calls to the file system among which a kill falls: those of the start and the first epochs of a run, of which there are
 *  several times as many. */
const OPERATIONS = 80;
const RUN = ['--model', 'mlp', '--hidden', '4', '--dropout', '0.2', ...onSmallCifar10(scratchFolder())].concat([
  '--batch-size',
  '20',
  '--epochs',
  String(EPOCHS),
]);

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

let expected: Awaited<ReturnType<typeof uninterrupted>>;

async function uninterrupted() {
  const cwd = scratchFolder();
  const { code, stdout } = await nnTrain([...RUN, '--out', 'run', '--json'], { cwd });
  expect(code).toBe(0);
  return { ...outcome(path.join(cwd, 'run')), test: JSON.parse(stdout).test };
}

beforeAll(async () => {
  expected = await uninterrupted();
});

describe('a killed run', () => {
  it('ends with the bits of an uninterrupted run after it is resumed', async () => {
    expect(expected.epochs).toHaveLength(EPOCHS);
    const steps = expected.steps
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 30 * EPOCHS }, (_, i) => i + 1));
    expect(steps.filter(({ updateRatios }) => updateRatios).map(({ step }) => step)).toEqual([250]);
    const random = new Random(Date.now(), 'kill');
    for (let round = 0; round < 2; round++) {
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

/** Whether `script` of Linux is there, which runs a command on a terminal of its own. */
function hasTerminals(): boolean {
  return /util-linux/.test(spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? '');
}

function existsRun(cwd: string): boolean {
  try {
    readFileSync(path.join(cwd, 'run/config.json'));
    return true;
  } catch {
    return false;
  }
}

describe('an interrupted run', () => {
  const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'];

  it.each(signals.filter((signal) => signal in constants.signals))(
    'by %s is saved, says how to resume, exits with 128 and its number, and can be resumed',
    async (signal) => {
      const cwd = temporaryFolder();
      const signalItself = { signal, text: `2/${EPOCHS} ` };
      const stopped = await nnTrain([...RUN, '--out', 'my run'], { cwd, signalItself });
      // The signal that the terminal is gone ends the process itself, which shells report as 129.
      const ended = signal === 'SIGHUP' ? [null, signal] : [128 + constants.signals[signal], null];
      expect([stopped.code, stopped.signal]).toEqual(ended);
      const [, step, command] = stopped.stderr.match(
        /^stopping; press Ctrl-C again to quit at once\nstopped after step (\d+) and saved, with a report in my run\/report\.html; resume with:\n {2}(.*) --resume 'my run' --data .*\n$/,
      )!;
      expect(command).toBe(OWN_NAME);
      expect(Number(step)).toBeGreaterThanOrEqual(60);
      expect(Number(step)).toBeLessThan(30 * EPOCHS);
      expect(stopped.stdout).not.toMatch(/^test /m);

      const resumed = await runMain(['--resume', path.join(cwd, 'my run'), '--json']);
      expect(resumed.code).toBe(0);
      expect(resumed.stderr).toContain(`from   step ${step}, `);
      const { test, ...bits } = expected;
      expect(JSON.parse(resumed.stdout).test).toEqual(test);
      expect(outcome(path.join(cwd, 'my run'))).toEqual(bits);
    },
  );

  it.skipIf(process.platform === 'win32')(
    'before its first step is saved too, and SIGUSR1 does not open the debugger',
    async () => {
      const cwd = temporaryFolder();
      const signalItself = { signal: 'SIGUSR1', operation: 1 } as const;
      const { code, stderr } = await nnTrain([...QUICK, '--out', 'run'], { cwd, signalItself });
      expect(code).toBe(128 + constants.signals.SIGUSR1);
      expect(stderr).toMatch(/^stopping; .+\nstopped after step 0 and saved; resume with:\n {2}.* --resume run\n$/);
    },
  );

  it.skipIf(!hasTerminals())('by its closing terminal is saved, and the process does not crash', async () => {
    const cwd = temporaryFolder();
    const words = [process.execPath, NN_TRAIN, ...RUN, '--epochs', '500', '--out', 'run'];
    // As shells do, this one passes the signal on. The first wait ends with it.
    const command = `stty cols 80; "${words.join('" "')}" 2> log & trap "kill -HUP $!" HUP; wait $!; wait $!; echo $? > code`;
    const env = { ...process.env, SHELL: '/bin/sh' };
    const terminal = spawn('script', ['-qfc', command, '/dev/null'], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const text of terminal.stdout.setEncoding('utf8')) if (text.includes('2/500')) break;
    terminal.kill('SIGKILL');
    const read = (name: string) => (existsSync(path.join(cwd, name)) ? readFileSync(path.join(cwd, name), 'utf8') : '');
    await expect.poll(() => read('code')).toBe('129\n');
    expect(read('log')).toMatch(/^stopped after step \d+ and saved, with a report in run\/report\.html;/m);
    expect(existsSync(path.join(cwd, 'run/lock'))).toBe(false);
  });

  it('prints one JSON object that says so', async () => {
    const cwd = temporaryFolder();
    const signalItself = { signal: 'SIGINT', text: `1/${EPOCHS} ` } as const;
    const { code, stdout } = await nnTrain([...RUN, '--json', '--no-save'], { cwd, signalItself });
    expect(code).toBe(130);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'interrupted',
      run: null,
      test: null,
      stopped: { reason: 'interrupted', message: 'SIGINT' },
    });
  });

  it('prints only its results again if it had finished', async () => {
    const cwd = temporaryFolder();
    const args = [...RUN, '--epochs', '1', '--out', 'run', '--json'];
    const once = JSON.parse((await nnTrain(args, { cwd })).stdout);
    expect(JSON.parse((await nnTrain(['--resume', 'run', '--json'], { cwd })).stdout)).toEqual(once);
    const { code, stdout, stderr } = await nnTrain(['--resume', 'run'], { cwd });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^run has already finished; to train it further, give it more epochs, such as --epochs 2\n\ntest {3}loss /,
    );
    expect(stdout).not.toContain('train loss');
    expect((await nnTrain(['--resume', 'run', '--quiet'], { cwd })).stdout).toMatch(/^test /);
    const longer = await nnTrain(['--resume', 'run', '--epochs', '2'], { cwd });
    expect([longer.code, longer.stderr]).toEqual([0, '']);
    expect(longer.stdout).toContain('\n       a new schedule from step 30 to epoch 2, warm-up included\n');
    const fewer = await nnTrain(['--resume', 'run', '--epochs', '1'], { cwd });
    expect([fewer.code, fewer.stderr]).toEqual([2, 'error: --epochs is 1, but the run has done 2; give at least 2\n']);
  });
});
