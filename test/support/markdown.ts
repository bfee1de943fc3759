import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder of the repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Page {
  /** Relative to the root, such as docs/data.md. */
  readonly path: string;
  readonly text: string;
}

export interface Block {
  /** Language of a fenced block; empty if it names none. */
  readonly language: string;
  readonly text: string;
  /** Text of the block that follows with nothing in between; undefined if none does. */
  readonly next: string | undefined;
}

export function readPage(path: string): Page {
  return { path, text: readFileSync(`${ROOT}/${path}`, 'utf8') };
}

/** The README and every page in docs/. */
export function readPages(): Page[] {
  const names = readdirSync(`${ROOT}/docs`).filter((name) => name.endsWith('.md'));
  return ['README.md', ...names.map((name) => `docs/${name}`)].map(readPage);
}

/** The fenced blocks of some languages. */
export function blocksOf({ text }: Page, ...languages: readonly string[]): Block[] {
  const all = [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)];
  const blocks = all.map((match, i) => {
    const following = all[i + 1];
    const between = following && text.slice(match.index + match[0].length, following.index);
    return { language: match[1], text: match[2], next: between?.trim() === '' ? following![2] : undefined };
  });
  return blocks.filter(({ language }) => languages.includes(language));
}

/** Markdown without its fenced blocks. */
export function proseOf({ text }: Page): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '');
}

/** The section under a heading, up to the next heading of its level or above. */
export function sectionOf(page: Page, heading: string): string {
  const lines = proseOf(page).split('\n');
  const first = lines.findIndex((line) => line.replace(/^#+ /, '') === heading && line.startsWith('#'));
  if (first < 0) throw new Error(`${page.path} has no section '${heading}'`);
  const level = lines[first].indexOf(' ');
  const length = lines.slice(first + 1).findIndex((line) => /^#+ /.test(line) && line.indexOf(' ') <= level);
  return lines.slice(first, length < 0 ? undefined : first + 1 + length).join('\n');
}

/** The anchors that GitHub gives to the headings of a page. */
export function anchorsOf(page: Page): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of proseOf(page).matchAll(/^#+ (.*)$/gm)) {
    const anchor = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    let unique = anchor;
    for (let i = 1; anchors.has(unique); i++) unique = `${anchor}-${i}`;
    anchors.add(unique);
  }
  return anchors;
}
