/** Formats numbers and text for the terminal. */

import { stripVTControlCharacters } from 'node:util';
import type { painter } from './io.ts';
import { shellWord } from './shell.ts';

export { integer, loss, percent, plural, seconds, small } from '../../format.ts';

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** The command that resumes a saved run. */
export function resumeCommand(run: string, program: string, more: readonly string[] = []): string {
  return [program, ...['--resume', run, ...more].map(shellWord)].join(' ');
}

/** Breaks a text between words; a word longer than a line gets its own line. Colour codes have no width. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    const longer = `${last} ${word}`;
    if (last !== undefined && stripVTControlCharacters(longer).length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Warning that results are not on real images. */
export function standInLine(paint: ReturnType<typeof painter>): string {
  return paint(['yellow', 'bold'], 'These are results on the synthetic stand-in images, not on CIFAR-10.');
}
