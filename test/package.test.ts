import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from './support/files.ts';
import { ROOT } from './support/markdown.ts';

it('the package contains all that it needs, and no sources', () => {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const [{ files }] = JSON.parse(output) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining([
      'README.md',
      'LICENSE',
      'package.json',
      'bin/nn-train.js',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/cli/main.js',
      'dist/backends/wasm/node/worker.js',
      'dist/report/page.js',
      'dist/report/page.css',
      'scripts/sweep-linear.sh',
      'scripts/sweep-mlp.sh',
      'scripts/sweep.sh',
      'scripts/sweep-slurm.sh',
      'dist/sweep/local/worker.js',
      'scripts/results-table.mjs',
    ]),
  );
  const folders = new Set(paths.filter((path) => path.includes('/')).map((path) => path.split('/')[0]));
  expect([...folders].sort()).toEqual(['bin', 'dist', 'scripts']);
});

/** The compiler that the project uses, and the lowest one that docs/library.md names: only `.ci/run` installs it, because two
 *  packages that provide `tsc` cannot be installed next to each other. */
const COMPILERS = {
  'the current TypeScript': path.join(ROOT, 'node_modules/typescript/bin/tsc'),
  'the lowest TypeScript (skipped without LOWEST_TYPESCRIPT, the path of its tsc)': process.env.LOWEST_TYPESCRIPT,
};

describe.each(Object.entries(COMPILERS))('%s', (_, tsc) => {
  it.skipIf(!tsc)('resolves the types of the package, which need no other types', () => {
    const folder = temporaryFolder();
    mkdirSync(path.join(folder, 'node_modules'));
    symlinkSync(ROOT, path.join(folder, 'node_modules/nn-train'));
    writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    const program = `
    import { type Dataset, type OpenedRun, openRun } from 'nn-train';
    export const images = ({ train }: Dataset): Uint8Array => train.images;
    export const step = async (): Promise<number> => (await openRun('run')).progress.step;
    // @ts-expect-error: would compile if the types did not resolve.
    export const text = (run: OpenedRun): string => run.record.config.lr;
  `;
    writeFileSync(path.join(folder, 'program.ts'), program);
    for (const [module, resolution] of [
      ['nodenext', 'nodenext'],
      ['esnext', 'bundler'],
    ]) {
      const modules = ['--module', module, '--moduleResolution', resolution];
      const options = ['--noEmit', '--strict', '--target', 'es2022', ...modules];
      const { stdout } = spawnSync(process.execPath, [tsc!, ...options, 'program.ts'], {
        cwd: folder,
        encoding: 'utf8',
      });
      expect(stdout).toBe('');
    }
  });
});
