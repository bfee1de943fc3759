import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { scratchFolder } from '../../support/cifar10.ts';
import { type CliOptions, NN_TRAIN, nnTrain, OWN_NAME } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';
import { onSmallCifar10 } from '../../support/small-cifar10.ts';

const SMALL = onSmallCifar10(scratchFolder());
const RUN = [...SMALL, '--epochs', '4'];
/** Not that of npm, under which the program takes itself for started by npx. */
const ENV = { PATH: process.env.PATH };
const READER_GONE = 'its reader closed the pipe';

/** Runs with a reader of stdout that closes the pipe once it has read a text, while the process is stopped. */
async function withReaderUntil(text: string, args: readonly string[], options: CliOptions = {}) {
  let closed = Promise.resolve();
  const signalItself = { signal: 'SIGSTOP', text } as const;
  const finished = await nnTrain(args, {
    ...options,
    signalItself,
    onStart: (child) => {
      let read = '';
      child.stdout!.on('data', (chunk: string) => {
        read += chunk;
        if (read.includes(text)) child.stdout!.destroy();
      });
      closed = once(child.stdout!, 'close').then(() => {
        // The process may stop only after the first of these signals.
        const timer = setInterval(() => child.kill('SIGCONT'), 10);
        child.on('close', () => clearInterval(timer));
        onTestFinished(() => clearInterval(timer));
      });
    },
  });
  await closed;
  return finished;
}

/** Runs in a shell whose pipe has lost its reader before the program starts. */
function withoutReader(args: readonly string[], cwd = temporaryFolder()) {
  const script = 'mkfifo gate; { cat gate; "$0" "$@"; echo "exit $?" >&2; } | { exec <&-; echo open > gate; }';
  return spawnSync('sh', ['-c', script, process.execPath, NN_TRAIN, ...args], { cwd, encoding: 'utf8', env: ENV })
    .stderr;
}

function inShell(script: string, args: readonly string[], cwd = temporaryFolder()) {
  return spawnSync('sh', ['-c', script, process.execPath, NN_TRAIN, ...args], { cwd, encoding: 'utf8', env: ENV });
}

const epochsIn = (run: string) => readFileSync(path.join(run, 'metrics.jsonl'), 'utf8').trimEnd().split('\n').length;

describe.skipIf(process.platform === 'win32')('a reader of stdout that closes the pipe', () => {
  it('does not stop a run that is saved, which says so once', async () => {
    const cwd = temporaryFolder();
    const { code, stderr } = await withReaderUntil(' 1/4 ', [...RUN, '--out', 'run'], { cwd });
    const note = `note: cannot write to stdout: ${READER_GONE}; training goes on, and is saved in run\n`;
    expect([code, stderr]).toEqual([0, note]);
    expect(epochsIn(path.join(cwd, 'run'))).toBe(4);
    const whole = await nnTrain([...RUN, '--out', 'whole'], { cwd });
    expect(whole.code).toBe(0);
    const weights = (run: string) => readFileSync(path.join(cwd, run, 'last.safetensors'));
    expect(weights('run').equals(weights('whole'))).toBe(true);
  });

  it('does not stop a run whose results are logged', async () => {
    const cwd = temporaryFolder();
    const args = [...RUN, '--no-save', '--log', 'log.jsonl'];
    const { code, stderr } = await withReaderUntil(' 1/4 ', args, { cwd });
    expect([code, stderr.split('\n').length]).toEqual([0, 2]);
    expect(readFileSync(path.join(cwd, 'log.jsonl'), 'utf8')).toContain('"type":"run-ended"');
  });

  it('stops a run that keeps nothing, with exit code 141 and the reason', async () => {
    const { code, stderr } = await withReaderUntil(' 1/4000 ', [...SMALL, '--epochs', '4000', '--no-save']);
    expect([code, stderr]).toEqual([
      141,
      `error: cannot write the results to stdout: ${READER_GONE}; training stopped; --no-save kept nothing\n`,
    ]);
  });

  it('is exit code 141 if the JSON cannot be delivered, and says where it is', async () => {
    const cwd = temporaryFolder();
    const stderr = withoutReader([...RUN, '--out', 'run', '--json', '--no-progress'], cwd);
    const [error, exit] = stderr.trimEnd().split('\n').slice(-2);
    expect(exit).toBe('exit 141');
    expect(error).toBe(
      `error: cannot write the results to stdout: ${READER_GONE}; they are saved in run; to print them again: ${OWN_NAME} --resume run --json`,
    );
    const again = await nnTrain(['--resume', 'run', '--json'], { cwd });
    expect(JSON.parse(again.stdout)).toMatchObject({ epochs: 4, run: 'run' });
    const unsaved = withoutReader([...RUN, '--no-save', '--json']);
    expect(unsaved).toMatch(/^error: .*; --no-save kept nothing\nexit 141$/m);
  });

  it.each([[['--help']], [['--version']], [['explain', 'product']], [['--print-config']]])(
    'ends %j quietly with exit code 141',
    (args) => {
      expect(withoutReader(args)).toBe('exit 141\n');
    },
  );
});

describe('stderr that cannot be written', () => {
  it
    .skipIf(process.platform === 'win32')
    .each(['2>&1 >result.json | true', '2>&- >result.json', '2>/dev/full >result.json'])(
    'does not lose the results: %s',
    (redirection) => {
      const cwd = temporaryFolder();
      inShell(`"$0" "$@" ${redirection}`, [...RUN, '--no-save', '--json'], cwd);
      expect(JSON.parse(readFileSync(path.join(cwd, 'result.json'), 'utf8')).epochs).toBe(4);
    },
  );
});

describe('stdout that is closed from the start', () => {
  it.skipIf(process.platform === 'win32')('is as good as /dev/null', () => {
    const cwd = temporaryFolder();
    expect(inShell('"$0" "$@" >&-', [...RUN, '--out', 'run'], cwd)).toMatchObject({ status: 0, stderr: '' });
    expect(epochsIn(path.join(cwd, 'run'))).toBe(4);
  });
});

describe.skipIf(!existsSync('/dev/full'))('a full disk', () => {
  it('behind stdout does not stop a run that is saved; at the end, the exit code is 1', () => {
    const cwd = temporaryFolder();
    const { status, stderr } = inShell('"$0" "$@" >/dev/full', [...RUN, '--out', 'run'], cwd);
    expect([status, stderr]).toEqual([
      1,
      'note: cannot write to stdout: no space left on the device; training goes on, and is saved in run\n' +
        `error: cannot write the results to stdout: no space left on the device; they are saved in run; to print them again: ${OWN_NAME} --resume run\n`,
    ]);
    expect(epochsIn(path.join(cwd, 'run'))).toBe(4);
  });

  it.each([[['--no-save']], [['--no-save', '--json', '--quiet']]])(
    'is exit code 1 and one message with %j',
    (options) => {
      const { status, stderr } = inShell('"$0" "$@" >/dev/full', [...RUN, ...options]);
      expect(status).toBe(1);
      expect(stderr).toMatch(
        /^error: cannot write the results to stdout: no space left on the device; .*--no-save kept nothing$/m,
      );
      expect(stderr.match(/stdout/g)).toHaveLength(1);
    },
  );

  it('for the log does not stop the run: one note, and one at the end', async () => {
    const { code, stdout, stderr } = await nnTrain([...RUN, '--no-save', '--log', '/dev/full']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^test /m);
    expect(stderr).toBe(
      'note: cannot write the log /dev/full: no space left on the device; training goes on, and the line is tried again with the next\n' +
        'note: 6 lines are missing from the log /dev/full: no space left on the device\n',
    );
  });
});

describe('a log in a pipe', () => {
  it.skipIf(process.platform === 'win32')('is not closed between two lines', async () => {
    const cwd = temporaryFolder();
    execFileSync('mkfifo', [path.join(cwd, 'log')]);
    // cat ends as soon as nobody has the pipe open for writing.
    const { status } = inShell(
      'cat log >lines & "$0" "$@"; code=$?; wait; exit $code',
      [...RUN, '--no-save', '--log', 'log'],
      cwd,
    );
    expect(status).toBe(0);
    expect(readFileSync(path.join(cwd, 'lines'), 'utf8').trimEnd().split('\n')).toHaveLength(6);
  });
});
