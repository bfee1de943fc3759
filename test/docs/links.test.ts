import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchorsOf, type Page, proseOf, ROOT, readPage, readPages, sectionOf } from '../support/markdown.ts';

const PAGES = [...readPages(), readPage('CONTRIBUTING.md'), readPage('CHANGELOG.md'), readPage('data/README.md')];

interface Link {
  readonly target: string;
  /** Relative to the root. */
  readonly file: string;
  readonly anchor: string | undefined;
}

function linksOf(page: Page): Link[] {
  return [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target)
    .filter((target) => !/^https?:/.test(target))
    .map((target) => {
      const [relative, anchor] = target.split('#');
      const file = relative === '' ? page.path : path.join(path.dirname(page.path), relative);
      return { target, file, anchor };
    });
}

describe('the documentation', () => {
  it.each(PAGES)('has no broken link in $path', (page) => {
    const broken = linksOf(page).filter(({ file, anchor }) => {
      if (!existsSync(path.join(ROOT, file))) return true;
      return anchor !== undefined && !anchorsOf(readPage(file)).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('is reachable from the README', () => {
    const reached = new Set(['README.md']);
    for (const file of reached) {
      const page = PAGES.find((one) => one.path === file);
      if (page) for (const link of linksOf(page)) reached.add(link.file);
    }
    expect(PAGES.filter((page) => !reached.has(page.path)).map((page) => page.path)).toEqual(['data/README.md']);
  });

  it('starts each page with one sentence on what it answers', () => {
    const pages = PAGES.filter((page) => page.path.startsWith('docs/'));
    for (const { path: file, text } of pages) expect(text, file).toMatch(/^# .+\n\n[^\n.]+(\.\w[^\n.]*)*\.\n\n/);
  });

  it('has a row for each folder of the sources, and for no other', () => {
    const rows = sectionOf(readPage('docs/architecture.md'), 'Folders').matchAll(/^\| `src\/(\w+)\/`/gm);
    const folders = readdirSync(path.join(ROOT, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(Array.from(rows, ([, name]) => name).sort()).toEqual(folders.map(({ name }) => name).sort());
  });

  it('has a README of at most 150 lines', () => {
    expect(readPage('README.md').text.split('\n').length - 1).toBeLessThanOrEqual(150);
  });
});
