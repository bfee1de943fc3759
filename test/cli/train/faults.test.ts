import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeSafetensors } from '../../../src/weights/decode.ts';
import { nnTrain, QUICK } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/files.ts';
import { onOwnMounts, UNSHARE } from '../../support/mounts.ts';
import { canRunUnprivileged, NOBODY } from '../../support/unprivileged.ts';

/** A URL where nothing listens. The system never assigns such a low port to a server of another test. */
const NO_NETWORK = { NN_TRAIN_CIFAR10_URL: 'http://127.0.0.1:3/cifar-10-binary.tar.gz' };

describe('training that diverges', () => {
  it('exits with 4, names the step and keeps the last checkpoint intact', async () => {
    const cwd = temporaryFolder();
    const { code, stdout, stderr } = await nnTrain([...QUICK, '--lr', '1e6', '--epochs', '9', '--out', 'run'], { cwd });
    expect(code).toBe(4);
    expect(stderr).toMatch(
      /^error: training diverged: the loss is (NaN|Infinity) at step \d+ \(epoch \d+\), at a learning rate of [\de.+]+; try a smaller --lr, or a smaller --weight-decay\n$/,
    );
    expect(stdout).not.toMatch(/^test /m);
    const { tensors } = decodeSafetensors(readFileSync(path.join(cwd, 'run/last.safetensors')), 'last');
    expect(tensors.get('linear.weight')!.values.every(Number.isFinite)).toBe(true);
  });
});

describe('a full disk', () => {
  it.skipIf(!UNSHARE)('while saving: exit 1, one message, the earlier checkpoint whole, and it can go on', async () => {
    const cwd = temporaryFolder();
    mkdirSync(path.join(cwd, 'small'));
    // A checkpoint of the linear model takes 247 kB: the third one, beside the best weights, does not fit.
    const script =
      'mount -t tmpfs -o size=600k tmpfs small && "$0" "$@"; code=$?; cp -r small/run saved; ls -a small/run; exit $code';
    const run = [...QUICK, '--epochs', '4', '--out', 'small/run', '--quiet'];
    const result = onOwnMounts(script, run, cwd);
    expect(result.stderr).toBe('error: cannot write small/run/last.safetensors: no space left on the device\n');
    expect(result.status).toBe(1);
    expect(result.stdout).not.toContain('.tmp');
    expect(readdirSync(path.join(cwd, 'saved'))).toContain('last.safetensors');
    const resumed = await nnTrain(['--resume', 'saved', '--json'], { cwd });
    const whole = await nnTrain([...QUICK, '--epochs', '4', '--no-save', '--json'], { cwd });
    expect(JSON.parse(resumed.stdout).test).toEqual(JSON.parse(whole.stdout).test);
  });

  it.skipIf(!UNSHARE)('at the start: exit 1 and nothing left behind', () => {
    const cwd = temporaryFolder();
    mkdirSync(path.join(cwd, 'small'));
    const script = 'mount -t tmpfs -o size=100k tmpfs small && "$0" "$@"; code=$?; ls -A small; exit $code';
    const run = [...QUICK, '--epochs', '1', '--out', 'small/run', '--quiet'];
    const result = onOwnMounts(script, run, cwd);
    expect([result.status, result.stdout]).toEqual([1, '']);
    expect(result.stderr).toContain('no space left on the device');
  });
});

describe('a disk that is mounted', () => {
  it.skipIf(!UNSHARE)('on an empty folder is filled with a run', async () => {
    const cwd = temporaryFolder();
    mkdirSync(path.join(cwd, 'disk'));
    const script = 'mount -t tmpfs tmpfs disk && "$0" "$@" && "$0" "$1" eval disk && ls disk';
    const run = [...QUICK, '--epochs', '1', '--out', 'disk', '--quiet'];
    const result = onOwnMounts(script, run, cwd);
    expect(result.stderr).toBe('');
    expect([result.status, result.stdout]).toEqual([0, expect.stringContaining('config.json')]);
  });

  it.skipIf(!UNSHARE)('read-only is one message that says so, for a run and for images', async () => {
    const cwd = temporaryFolder();
    mkdirSync(path.join(cwd, 'disk/empty'), { recursive: true });
    const script =
      'mount -t tmpfs -o ro tmpfs disk; for out in disk/run disk/a/b/run disk; do "$0" "$@" --out $out; echo $?; done';
    const run = [...QUICK, '--epochs', '1', '--quiet'];
    const result = onOwnMounts(script, run, cwd);
    expect(result.stdout).toBe('1\n1\n1\n');
    expect(result.stderr).toBe(
      ['disk/run', 'disk/a/b/run', 'disk']
        .map(
          (out) =>
            `error: cannot create the run directory ${out}: the file system is read-only; choose another folder\n`,
        )
        .join(''),
    );
  });
});

describe('--no-save', () => {
  it('contradicts --out', async () => {
    const { code, stderr } = await nnTrain([...QUICK, '--no-save', '--out', 'run'], { cwd: temporaryFolder() });
    expect([code, stderr]).toEqual([
      2,
      'error: --no-save saves nothing, so there is nothing to put into --out; leave one of the two out\n',
    ]);
  });
});

describe('files', () => {
  it('that cannot be written print one message and exit with 1', async () => {
    const cwd = temporaryFolder();
    writeFileSync(path.join(cwd, 'file'), '');
    const run = await nnTrain([...QUICK, '--epochs', '1', '--out', 'file/run'], { cwd });
    expect([run.code, run.stderr]).toEqual([
      1,
      'error: cannot create the run directory file/run: a part of the path is a file, not a folder\n',
    ]);
    const log = await nnTrain([...QUICK, '--epochs', '1', '--no-save', '--log', 'nowhere/log.jsonl'], { cwd });
    expect([log.code, log.stderr]).toEqual([
      1,
      'error: cannot write the log nowhere/log.jsonl: no such file or folder\n',
    ]);
  });

  it('of a run that are damaged print one message and exit with 1', async () => {
    const cwd = temporaryFolder();
    await nnTrain([...QUICK, '--epochs', '1', '--out', 'run'], { cwd });
    const file = path.join(cwd, 'run/last.safetensors');
    writeFileSync(file, readFileSync(file).subarray(0, 5000));
    for (const args of [
      ['eval', 'run'],
      ['--resume', 'run'],
    ]) {
      const { code, stderr } = await nnTrain(args, { cwd });
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^error: run\/last\.safetensors is not a complete safetensors file of float32 tensors: .*\n$/,
      );
    }
    writeFileSync(path.join(cwd, 'run/config.json'), '{"config"');
    expect((await nnTrain(['eval', 'run'], { cwd })).stderr).toMatch(/^error: cannot read run\/config\.json: .*JSON/);
  });
});

describe('images that are missing or damaged', () => {
  it('exit with 3 with --dataset cifar10; with auto, the stand-in replaces them, with a warning', async () => {
    const cwd = temporaryFolder();
    const missing = await nnTrain(['--dataset', 'cifar10'], { cwd, env: NO_NETWORK });
    expect(missing.code).toBe(3);
    expect(missing.stderr).toMatch(/error: CIFAR-10 was not found; .*--data.*--dataset synthetic/);
    expect(missing.stdout).toBe('');

    const args = ['--train-limit', '100', '--epochs', '1', '--no-save', '--json'];
    const auto = await nnTrain(args, { cwd, env: NO_NETWORK });
    expect(auto.code).toBe(0);
    expect(JSON.parse(auto.stdout).dataset).toBe('synthetic');
    expect(auto.stderr).toMatch(/^WARNING: these are synthetic stand-in images, not CIFAR-10\.$/m);
    expect(auto.stderr.trimEnd().split('\n').at(-1)).toContain('not on CIFAR-10');
  });

  it('are never replaced if --data names them', async () => {
    const cwd = temporaryFolder();
    const gone = await nnTrain(['--data', 'nowhere', '--no-save'], { cwd, env: NO_NETWORK });
    expect([gone.code, gone.stdout]).toEqual([3, '']);
    expect(gone.stderr).toContain('nowhere');
    mkdirSync(path.join(cwd, 'data'));
    writeFileSync(path.join(cwd, 'data/data_batch_1.bin'), Buffer.alloc(3073));
    const partial = await nnTrain(['--no-save'], { cwd, env: NO_NETWORK });
    expect([partial.code, partial.stdout]).toEqual([3, '']);
    expect(partial.stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('a folder without read permission', () => {
  it.skipIf(!canRunUnprivileged)('is one message and the exit code of its kind', async () => {
    const cwd = temporaryFolder();
    chmodSync(cwd, 0o755);
    for (const name of ['images', 'run']) mkdirSync(path.join(cwd, name), { mode: 0o000 });
    const unprivileged = (args: string[]) => nnTrain(args, { cwd, uid: NOBODY });
    const images = await unprivileged(['--data', 'images', '--no-save']);
    expect([images.code, images.stdout]).toEqual([3, '']);
    expect(images.stderr).toMatch(/^error: .*images.*(EACCES|permission).*\n$/);
    const saved = await unprivileged([...QUICK, '--epochs', '1', '--out', 'run/inside', '--quiet']);
    expect([saved.code, saved.stderr]).toEqual([
      1,
      'error: cannot create the run directory run/inside: permission denied\n',
    ]);
    const loaded = await unprivileged(['eval', 'run']);
    expect(loaded.code).toBe(2);
    expect(loaded.stderr).toMatch(/^error: run is not a run directory: permission denied\n$/);
    for (const name of ['images', 'run']) chmodSync(path.join(cwd, name), 0o755);
  });
});
