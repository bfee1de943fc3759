/** Formats numbers and text for the terminal. */

import { stripVTControlCharacters } from 'node:util';
import { percent } from '../../format.ts';
import type { painter } from './io.ts';
import { shellWord } from './shell.ts';

export {
  integer,
  localTime,
  loss,
  megabytes,
  memory,
  operations,
  percent,
  plural,
  seconds,
  small,
} from '../../format.ts';

/** A 95 % interval of a share: 95 % interval 56.86 to 58.79 %. */
export function interval([low, high]: readonly [low: number, high: number]): string {
  return `95 % interval ${(100 * low).toFixed(2)} to ${percent(high)}`;
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

/** Lines of a text beside a label, wrapped to a width for both. @param indent the width for the label. */
export function labelled(
  label: string,
  text: string,
  { indent, width, paint }: { indent: number; width: number; paint: ReturnType<typeof painter> },
): string[] {
  return wrap(text, width - indent).map((line, i) => paint('bold', (i === 0 ? label : '').padEnd(indent)) + line);
}

/** How long something will take, roughly: 12 s, 3 min, 1 h 5 min. */
export function timeLeft(seconds: number): string {
  if (seconds < 100) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Says whose accuracy it is. */
export function overViews(views: number): string {
  return ` over ${views} views`;
}

/** Warning that results are not on real images. */
export function standInLine(paint: ReturnType<typeof painter>): string {
  return paint(['yellow', 'bold'], 'These are results on the synthetic stand-in images, not on CIFAR-10.');
}
