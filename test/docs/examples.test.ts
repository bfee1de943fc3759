import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodePng } from '../../src/pictures/encode.ts';
import { temporaryFolder } from '../support/files.ts';
import { runMain } from '../support/in-process.ts';
import { blocksOf, ROOT, readPage } from '../support/markdown.ts';

const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');

/** No image on the disk and none from the network: generated ones, at once. */
const WITHOUT_IMAGES = {
  PATH: process.env.PATH,
  XDG_CACHE_HOME: '/nowhere',
  KERAS_HOME: '/nowhere',
  NN_TRAIN_CIFAR10_URL: 'http://127.0.0.1:9/none.tar.gz',
};

/** Compiles the TypeScript examples of a page, each as a program that imports the built package, with strict types. */
function compileExamples(page: string): { folder: string; programs: { file: string; output: string | undefined }[] } {
  const folder = temporaryFolder();
  const programs = blocksOf(readPage(page), 'ts')
    .filter(({ text }) => text.includes("from 'nn-train'"))
    .map(({ text, next }, i) => {
      writeFileSync(path.join(folder, `example-${i + 1}.ts`), text);
      return { file: path.join(folder, `example-${i + 1}.js`), output: next };
    });
  mkdirSync(path.join(folder, 'node_modules'));
  symlinkSync(ROOT, path.join(folder, 'node_modules/nn-train'));
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    strict: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [path.join(ROOT, 'node_modules/@types')],
  };
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const { stdout: errors } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
  expect(errors).toBe('');
  return { folder, programs };
}

describe('examples in the documentation', () => {
  it.each(['README.md', 'docs/library.md'])('compile and run: %s', (page) => {
    const { folder, programs } = compileExamples(page);
    writeFileSync(path.join(folder, 'cat.png'), encodePng(new Uint8Array(3 * 48 * 40).fill(90), 48, 40));
    expect(programs.length).toBeGreaterThan(0);
    for (const { file, output } of programs) {
      // A program that fails throws, with what it wrote to stderr.
      const printed = execFileSync(process.execPath, [file], {
        cwd: folder,
        encoding: 'utf8',
        env: WITHOUT_IMAGES,
        stdio: 'pipe',
      });
      expect(printed, file).not.toBe('');
      if (output !== undefined) expect(printed, file).toBe(output);
    }
  });

  it.each([
    ['linear', /^export (const linear[\s\S]*)$/m],
    ['local-linear', /^export (function localLinear\([\s\S]*?^\}\n)/m],
  ])('show the gate %s as it is in the sources', (file, pattern) => {
    const [, gate] = read(`src/engine/gates/${file}.ts`).match(pattern)!;
    expect(blocksOf(readPage('docs/backpropagation.md'), 'ts').map(({ text }) => text)).toContain(gate);
  });

  it('show what explain prints', async () => {
    const blocks = blocksOf(readPage('docs/backpropagation.md'), 'console').map(({ text }) => text);
    const expressions = blocks.filter((text) => !text.includes('--model'));
    expect(expressions.length).toBeGreaterThan(3);
    for (const text of expressions) {
      const [, command, output] = text.match(/^\$ npx nn-train (.*)\n([\s\S]*)$/)!;
      const words = command.match(/"[^"]*"|\S+/g)!.map((word) => word.replaceAll('"', ''));
      expect(output).toBe((await runMain(words)).stdout);
    }
  });

  it('show what explain draws', async () => {
    const drawing = path.join(temporaryFolder(), 'product.svg');
    await runMain(['explain', 'product', '--svg', drawing]);
    expect(readFileSync(drawing, 'utf8')).toBe(read('docs/pictures/product.svg'));
  });
});
