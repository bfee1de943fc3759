/** Text and numbers, as the command line shows them. */

import { stripVTControlCharacters } from 'node:util';
import type { painter } from './io.ts';

export function integer(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

export function loss(value: number): string {
  return value < 1000 ? value.toFixed(4) : value.toPrecision(4);
}

export function learningRate(value: number): string {
  return value < 1e-4 ? value.toExponential(2) : value.toPrecision(3);
}

export function seconds(value: number): string {
  if (value < 100) return `${value.toFixed(value < 10 ? 2 : 1)} s`;
  const minutes = Math.floor(Math.round(value) / 60);
  const rest = String(Math.round(value) % 60).padStart(2, '0');
  return minutes < 60 ? `${minutes} min ${rest} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** A word of a command line, quoted if a shell would take it apart. */
export function shellWord(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Breaks a text between words; a word longer than a line gets one of its own. Colour codes take no room. */
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

/** The line that says that no real images were used. */
export function standInLine(paint: ReturnType<typeof painter>): string {
  return paint(['yellow', 'bold'], 'These are results on the synthetic stand-in images, not on CIFAR-10.');
}
