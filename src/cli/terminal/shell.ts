/** What the shells of a system do to the words of a command line, and what they leave to the program. */

import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { wordWithControls } from './controls.ts';

/** A word of a command line, quoted if a shell would split or expand it. */
export function shellWord(word: string): string {
  if (process.platform === 'win32') return windowsWord(word);
  if (/^[\w./:@%+=,-]+$/.test(word)) return word;
  return wordWithControls(word) ?? `'${word.replaceAll("'", "'\\''")}'`;
}

/** Both cmd and PowerShell understand double quotes, but PowerShell expands $ and ` in them; then its single quotes are the
 *  only choice. A backslash before the last quote would escape it. */
function windowsWord(word: string): string {
  if (/^[\w.:\\/+=-]+$/.test(word)) return word;
  if (/[$`]/.test(word)) return `'${word.replaceAll("'", "''")}'`;
  return `"${word.replaceAll('"', '""').replace(/\\+$/, '$&$&')}"`;
}

/** Finds the files that the wildcards * and ? stand for, where shells leave this to the program (Windows). A word that fits no
 *  file stays as it is, so that the error about it names it. */
export function expandWildcards(word: string): readonly string[] {
  if (process.platform !== 'win32' || !/[*?]/.test(word)) return [word];
  const { root } = path.parse(word);
  const found = filesThatFit(root, word.slice(root.length).split(/[\\/]+/));
  return found.length > 0 ? found : [word];
}

function filesThatFit(folder: string, [segment, ...rest]: readonly string[]): string[] {
  if (segment === undefined) return existsSync(folder) ? [folder] : [];
  const names = /[*?]/.test(segment) ? namesThatFit(folder, segment) : [segment];
  return names.flatMap((name) => filesThatFit(path.join(folder, name), rest));
}

/** As in other shells, a wildcard does not stand for a dot at the start. */
function namesThatFit(folder: string, pattern: string): string[] {
  const source = pattern
    .replace(/[.+^${}()|[\]]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const regex = new RegExp(`^(?!\\.)${source}$`, 'i');
  try {
    return readdirSync(folder || '.')
      .filter((name) => regex.test(name))
      .sort();
  } catch {
    return [];
  }
}
