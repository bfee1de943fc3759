import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
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
      'scripts/results-table.mjs',
    ]),
  );
  const folders = new Set(paths.filter((path) => path.includes('/')).map((path) => path.split('/')[0]));
  expect([...folders].sort()).toEqual(['bin', 'dist', 'scripts']);
});
