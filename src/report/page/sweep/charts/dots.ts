import * as Plot from '@observablehq/plot';
import { h } from '../../dom.ts';
import * as format from '../../format.ts';
import { light } from '../highlight.ts';
import type { Trial } from '../trials.ts';

/** A trial in a chart. */
export interface Dot {
  readonly trial: Trial;
  readonly x: number;
  readonly y: number;
}

interface Look {
  readonly name: string;
  /** Stands for the shape in the key of a chart. */
  readonly glyph: string;
  readonly has: (trial: Trial) => boolean;
  readonly style: Plot.DotOptions;
}

/** Shapes of the trials by what became of them, so that they can be told apart without colours; the last is on top. */
const LOOKS: readonly Look[] = [
  {
    name: 'eliminated',
    glyph: '○',
    has: ({ state }) => state === 'eliminated',
    style: { r: 3.5, stroke: 'var(--series-1)', fill: 'var(--page)', fillOpacity: 0.6 },
  },
  {
    name: 'in progress',
    glyph: '□',
    has: ({ state }) => state === 'waiting' || state === 'running',
    style: { symbol: 'square2', r: 4, stroke: 'var(--series-1)' },
  },
  {
    name: 'finished',
    glyph: '●',
    has: ({ state, isWinner }) => state === 'finished' && !isWinner,
    style: { r: 4, fill: 'var(--series-1)' },
  },
  {
    name: 'diverged',
    glyph: '×',
    has: ({ state }) => state === 'diverged',
    style: { symbol: 'times', r: 4, stroke: 'var(--series-2)', strokeWidth: 2 },
  },
  {
    name: 'failed',
    glyph: '△',
    has: ({ state }) => state === 'failed',
    style: { symbol: 'triangle2', r: 4, stroke: 'var(--series-5)', strokeWidth: 2 },
  },
  {
    name: 'winner',
    glyph: '★',
    has: ({ isWinner }) => isWinner,
    style: { symbol: 'star', r: 7, fill: 'var(--series-2)', stroke: 'var(--page)' },
  },
];

/** Dots that stand for trials. */
export function dotMarks(dots: readonly Dot[]): Plot.Markish[] {
  return LOOKS.map(({ has, style }) =>
    Plot.dot(
      dots.filter(({ trial }) => has(trial)),
      { x: 'x', y: 'y', ariaLabel: ({ trial }: Dot) => `trial ${trial.trial}`, ...style },
    ),
  );
}

/** Lets the dots of a chart light up with their trials, and the trial at the pointer light up everywhere. */
export function linkDots(svg: Element): Element {
  for (const dot of svg.querySelectorAll<SVGElement>('[aria-label^="trial "]')) {
    dot.dataset.trial = dot.getAttribute('aria-label')!.slice('trial '.length);
    dot.removeAttribute('aria-label');
  }
  // Plot sets the value of a chart to the datum at the pointer.
  svg.addEventListener('input', () => light((svg as Element & { value?: { trial?: Trial } }).value?.trial?.trial));
  return svg;
}

/** Explains the shapes, with the number of trials of each. */
export function dotKey(trials: readonly Trial[]): HTMLElement {
  const present = LOOKS.map(({ name, glyph, has }) => ({ name, glyph, count: trials.filter(has).length }));
  return h(
    'ul',
    { class: 'key' },
    present
      .filter(({ count }) => count > 0)
      .map(({ name, glyph, count }) =>
        h(
          'li',
          { class: name },
          h('span', { class: 'glyph', 'aria-hidden': 'true' }, glyph),
          name === 'winner' ? name : `${format.count(count)} ${name}`,
        ),
      ),
  );
}
