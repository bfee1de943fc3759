import type { RunReport } from '../../report-data.ts';
import { h } from '../dom.ts';
import * as format from '../format.ts';

/** Colours in style/1-base.css; the runs after that have them again, dashed. */
const COLOURS = 6;
const DASHES = [undefined, '6 3', '2 2', '8 3 2 3'];

/** A run with what it is known by on the page. */
export interface Contestant {
  readonly run: RunReport;
  readonly number: number;
  /** A, B, C …: short enough for every chart. */
  readonly letter: string;
  readonly name: string;
  readonly colour: string;
  readonly dash?: string;
  readonly shown: boolean;
}

/** @param hidden numbers of the runs that are left out of the charts. */
export function contestants(runs: readonly RunReport[], hidden: ReadonlySet<number>): Contestant[] {
  return runs.map((run, number) => contestant(run, number, runs, hidden));
}

function contestant(
  run: RunReport,
  number: number,
  runs: readonly RunReport[],
  hidden: ReadonlySet<number>,
): Contestant {
  const base = format.baseName(run.name);
  const isUnique = runs.filter(({ name }) => format.baseName(name) === base).length === 1;
  const dash = DASHES[Math.floor(number / COLOURS) % DASHES.length];
  return {
    run,
    number,
    letter: number < 26 ? String.fromCharCode(65 + number) : `${number + 1}`,
    name: isUnique ? base : run.name,
    colour: `var(--series-${1 + (number % COLOURS)})`,
    ...(dash ? { dash } : {}),
    shown: !hidden.has(number),
  };
}

/** The letter of a run in its colour. */
export const badge = ({ letter, colour }: Contestant): HTMLElement =>
  h('span', { class: 'letter', style: `--run:${colour}` }, letter);
