import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { NN_TRAIN } from './support/cli.ts';
import { temporaryFolder } from './support/files.ts';

const root = new URL('..', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, root), 'utf8');
const README = read('README.md');

function blocks(language: string): string[] {
  return [...README.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter((match) => match[1] === language)
    .map((match) => match[2]);
}

describe('the README', () => {
  it('shows the linear gate as it is', () => {
    const [, gate] = read('src/engine/gates/linear.ts').match(/^export (const linear[\s\S]*)$/m)!;
    expect(blocks('ts').some((block) => block === gate)).toBe(true);
  });

  it('shows what explain prints and draws', () => {
    const folder = temporaryFolder();
    const drawing = `${folder}/product.svg`;
    const output = execFileSync(process.execPath, [NN_TRAIN, 'explain', 'product', '--svg', drawing], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH },
    });
    expect(blocks('')).toContain(`$ npx nn-train explain product --svg product.svg\n${output}`);
    expect(readFileSync(drawing, 'utf8')).toBe(read('scripts/pictures/product.svg'));
  });

  it('has an example of the API that runs', () => {
    const example = blocks('ts').find((block) => block.includes("from 'nn-train'"))!;
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', example], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(output).toContain('passed: true');
    expect(output).toMatch(/parameter: 'weight',[^}]* verdict: 'right',\n +relativeError: \d/);
  });
});
