import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { NN_TRAIN, nnTrain, QUICK } from '../support/cli.ts';
import { temporaryFolder } from '../support/files.ts';
import { ROOT } from '../support/markdown.ts';

const [major, minor] = process.versions.node.split('.').map(Number);
const PERMISSION = major > 22 || (major === 22 && minor >= 13) ? '--permission' : '--experimental-permission';

/** Modules that a command loads, from Node's record of the code that has run. */
async function modulesOf(args: readonly string[]): Promise<readonly string[]> {
  const folder = temporaryFolder();
  await nnTrain(args, { env: { NODE_V8_COVERAGE: folder } });
  const records = readdirSync(folder).map((name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')));
  return records.flatMap(({ result }: { result: { url: string }[] }) => result.map(({ url }) => url));
}

describe('the process', () => {
  it('loads only what a command needs', async () => {
    const { dependencies } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
    const packagesIn = (modules: readonly string[]) =>
      Object.keys(dependencies).filter((name) => modules.some((url) => url.includes(`/node_modules/${name}/`)));
    const version = await modulesOf(['--version']);
    expect(packagesIn(version)).toEqual(['commander']);
    expect(version.filter((url) => /\/dist\/(dataset|training|report|lock)\//.test(url))).toEqual([]);
    expect(version.filter((url) => /\/dist\/sweep\/samplers\/(?!sampler\.js)/.test(url))).toEqual([]);
    const training = await modulesOf([...QUICK, '--epochs', '1', '--no-save', '--quiet']);
    expect(packagesIn(training)).toEqual(['cli-progress', 'commander']);
    expect(training).toContainEqual(expect.stringContaining('/dist/training/trainer.js'));
  });

  it('ends although something that nobody waits for is open', async () => {
    const env = { NODE_OPTIONS: '--import data:text/javascript,setInterval(()=>{},1e9)' };
    const { code, stdout } = await nnTrain(['explain', 'x*y', 'x=2', 'y=3', '--json'], { env });
    expect([code, JSON.parse(stdout).outputs[0].value]).toEqual([0, 6]);
  });

  it('compiles nothing in the background that can hang it at its end', () => {
    const args = ['--trace-opt', NN_TRAIN, 'gradcheck', '--dataset', 'synthetic', '--quiet'];
    const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status).toBe(0);
    // What Node itself compiles before the program begins comes first.
    const later = stdout.slice(stdout.indexOf('(target TURBOFAN'));
    expect(later.match(/compiling method .*\(target TURBOFAN/g)?.length).toBeGreaterThan(10);
    expect(later).not.toContain('target MAGLEV');
  });

  it('says so if its folder is gone', () => {
    const folder = temporaryFolder();
    const script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"';
    const { status, stderr } = spawnSync(
      'sh',
      ['-c', script, 'sh', process.execPath, NN_TRAIN, ...QUICK, '--epochs', '1', '--no-save'],
      { cwd: folder, encoding: 'utf8' },
    );
    expect(stderr).toBe('error: the current folder no longer exists; change to another one\n');
    expect(status).toBe(1);
  });

  it.skipIf(process.platform === 'win32')('says so if it may not open as many files as it has', () => {
    // Node itself needs about 20.
    const script = 'ulimit -n 30 && exec "$@"';
    const { status, stderr } = spawnSync('sh', ['-c', script, 'sh', process.execPath, NN_TRAIN, '--version'], {
      encoding: 'utf8',
    });
    const error = 'error: nn-train may open only 30 files at a time; raise the limit (ulimit -n 256)\n';
    // Newer versions of Node open fewer files at once.
    expect([status, stderr]).toEqual(status === 0 && major > 20 ? [0, ''] : [1, error]);
  });

  it("trains on one thread under Node's permission model, and says which files it may not use", () => {
    const folder = temporaryFolder();
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [PERMISSION, '--no-warnings', '--allow-fs-read=*', NN_TRAIN, ...QUICK, ...args], {
        cwd: folder,
        encoding: 'utf8',
      });
    const trained = run('--epochs', '1', '--no-save', '--quiet', '--json');
    expect([trained.status, JSON.parse(trained.stdout).environment.threads]).toEqual([0, 1]);
    const refused = run('--epochs', '1', '--out', path.join(folder, 'run'));
    expect(refused.stderr).toContain("run: Node's permission model forbids it; allow it with --allow-fs-read or ");
    expect(refused.status).toBe(1);
  });
});
