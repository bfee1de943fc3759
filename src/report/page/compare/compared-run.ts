import type { RunReport } from '../../report-data.ts';
import { h } from '../dom.ts';
import * as format from '../format.ts';

/** Number of series colours in style/1-base.css. Further runs reuse them with dashed lines. */
const COLOURS = 6;
const DASHES = [undefined, '6 3', '2 2', '8 3 2 3'];

/** A run with its label and style on the page. */
export interface ComparedRun {
  readonly run: RunReport;
  /** Index in the data of the page. */
  readonly index: number;
  /** Label for charts: A, B, C …; from the 27th run on, its number. */
  readonly letter: string;
  readonly name: string;
  readonly colour: string;
  readonly dash?: string;
  readonly shown: boolean;
}

/** @param hidden indices of the runs hidden from the charts. */
export function comparedRuns(runs: readonly RunReport[], hidden: ReadonlySet<number>): ComparedRun[] {
  return runs.map((run, index) => comparedRun(run, index, runs, hidden));
}

function comparedRun(
  run: RunReport,
  index: number,
  runs: readonly RunReport[],
  hidden: ReadonlySet<number>,
): ComparedRun {
  const base = format.baseName(run.name);
  const isUnique = runs.filter(({ name }) => format.baseName(name) === base).length === 1;
  const dash = DASHES[Math.floor(index / COLOURS) % DASHES.length];
  return {
    run,
    index,
    letter: index < 26 ? String.fromCharCode(65 + index) : `${index + 1}`,
    name: isUnique ? base : run.name,
    colour: `var(--series-${1 + (index % COLOURS)})`,
    ...(dash ? { dash } : {}),
    shown: !hidden.has(index),
  };
}

/** Whether all runs used the same images, so that their results can be compared. */
export function usedSameImages(all: readonly ComparedRun[]): boolean {
  return new Set(all.map(({ run }) => run.dataset.sha256)).size <= 1;
}

/** Badge with the letter of a run in its colour. */
export const badge = ({ letter, colour }: ComparedRun): HTMLElement =>
  h('span', { class: 'letter', style: `--run:${colour}` }, letter);
