import * as Plot from '@observablehq/plot';
import { type Child, h } from './dom.ts';
import * as format from './format.ts';

/** Size of a chart in CSS pixels. */
export interface ChartSize {
  readonly width: number;
  readonly height: number;
}

/** Data and style of a line. */
export interface Line {
  /** Label at the end of the line. */
  readonly name?: string;
  readonly colour: string;
  readonly points: readonly Point[];
  /** Lengths of dashes and gaps; solid by default. */
  readonly dash?: string;
  /** Whether to draw a dot at every point. */
  readonly dots?: boolean;
  /** Faint for noise behind the other lines, strong for the most important one. */
  readonly emphasis?: 'faint' | 'strong';
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Axes {
  /** "epoch" by default. */
  readonly labelX?: string;
  readonly domainX: readonly [number, number];
  readonly tickY: (value: number) => string;
  readonly logarithmic?: boolean;
  /** Must cover the lines and anything else to be visible. */
  readonly domainY: readonly [number, number];
  /** Marks drawn behind the lines. */
  readonly background?: readonly Plot.Markish[];
  /** Tooltips by position on the x axis. */
  readonly tips: readonly { readonly x: number; readonly y: number; readonly text: string }[];
}

const MARGIN = { top: 14, bottom: 38, left: 52 } as const;
/** Minimum distance between labels at the ends of lines, in pixels. */
const LABEL_GAP = 15;

/** A figure: a chart with a title, a caption and, optionally, its data as a table.
 *  @param alternative text that replaces the chart for readers who cannot see it. */
export function figure(
  id: string,
  title: string,
  caption: Child,
  alternative: string,
  svg: Element,
  numbers?: Child,
): HTMLElement {
  svg.setAttribute('role', 'img');
  // Plot labels the groups of its marks "rule" or "line"; the label of the whole image is better.
  for (const group of svg.querySelectorAll('g[aria-label]')) group.removeAttribute('aria-label');
  svg.setAttribute('aria-label', `${title}. ${alternative}`);
  return h(
    'figure',
    { id },
    h('h3', {}, title),
    h('div', { class: 'plot' }, svg),
    h('figcaption', {}, caption),
    numbers ? h('details', {}, h('summary', {}, 'Show as table'), numbers) : null,
  );
}

/** A chart of lines over a common x axis, each with its name at its end. */
export function lineChart(lines: readonly Line[], axes: Axes, { width, height }: ChartSize): Element {
  const ends = lines.flatMap(({ name, points, colour }) =>
    name && points.length > 0 ? [{ name, colour, end: points.at(-1)! }] : [],
  );
  const longest = Math.max(0, ...ends.map(({ name }) => name.length));
  const y = { type: axes.logarithmic ? 'log' : 'linear', domain: axes.domainY } as const;
  const ticksY = axes.logarithmic ? powersOfTen(axes.domainY) : 5;
  return Plot.plot({
    width,
    height,
    marginTop: MARGIN.top,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left,
    marginRight: 16 + 7.4 * longest,
    style: { fontSize: '12px' },
    x: { domain: axes.domainX },
    y,
    marks: [
      Plot.gridY({ strokeOpacity: 0.12, ticks: ticksY }),
      Plot.axisX({
        label: axes.labelX ?? 'epoch',
        labelAnchor: 'center',
        labelArrow: 'none',
        ticks: wholeTicks(axes.domainX, width),
        tickFormat: format.count,
        tickSize: 4,
      }),
      Plot.axisY({ label: null, ticks: ticksY, tickFormat: axes.tickY, tickSize: 0 }),
      ...(axes.background ?? []),
      ...lines.flatMap(marksOf),
      ...labels(ends, axes, height),
      Plot.ruleX(axes.tips, Plot.pointerX({ x: 'x', stroke: 'currentColor', strokeOpacity: 0.3 })),
      Plot.tip(axes.tips, Plot.pointerX({ x: 'x', y: 'y', title: 'text', fontSize: 12, lineHeight: 1.35 })),
    ],
  });
}

/** Widths of lines, in pixels. */
const WIDTHS = { faint: 1, strong: 3.5 } as const;

function marksOf({ points, colour, dash, dots, emphasis }: Line): Plot.Markish[] {
  const line = Plot.line(points, {
    x: 'x',
    y: 'y',
    stroke: colour,
    strokeWidth: emphasis ? WIDTHS[emphasis] : 2,
    strokeOpacity: emphasis === 'faint' ? 0.3 : 1,
    clip: true,
    ...(dash ? { strokeDasharray: dash } : {}),
  });
  // With many epochs, the line is easier to follow without dots.
  return dots && points.length <= 40 ? [line, Plot.dot(points, { x: 'x', y: 'y', fill: colour, r: 2.5 })] : [line];
}

interface LineEnd {
  readonly name: string;
  readonly colour: string;
  readonly end: Point;
}

/** Names of the lines at their ends, moved apart if they would overlap. */
function labels(ends: readonly LineEnd[], axes: Axes, height: number): Plot.Markish[] {
  const scale = axes.logarithmic ? Math.log10 : (value: number) => value;
  const [low, high] = axes.domainY.map(scale);
  const plotHeight = height - MARGIN.top - MARGIN.bottom;
  const wanted = ends.map(({ end }) => {
    const share = (scale(end.y) - low) / (high - low);
    return plotHeight * (1 - Math.min(1, Math.max(0, share)));
  });
  const placed = spread(wanted, LABEL_GAP, plotHeight);
  return ends.map(({ name, colour, end }, i) =>
    Plot.text([end], {
      x: 'x',
      frameAnchor: 'top',
      dy: placed[i],
      dx: 8,
      text: [name],
      textAnchor: 'start',
      lineAnchor: 'middle',
      fill: colour,
      fontWeight: 600,
      stroke: 'var(--page)',
      strokeWidth: 4,
    }),
  );
}

/** Moves positions apart so that they are at least `gap` from each other and at most `max`, and keep their order. */
function spread(wanted: readonly number[], gap: number, max: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b]);
  const placed = [...wanted];
  for (let i = 1; i < order.length; i++) {
    placed[order[i]] = Math.max(placed[order[i]], placed[order[i - 1]] + gap);
  }
  let limit = max;
  for (const i of order.reverse()) {
    placed[i] = Math.min(placed[i], limit);
    limit = placed[i] - gap;
  }
  return placed;
}

function wholeTicks([low, high]: readonly [number, number], width: number): number[] {
  const maxTicks = Math.max(2, Math.floor(width / 60));
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((size) => (high - low) / size <= maxTicks) ?? 5000;
  return Array.from({ length: Math.floor(high / step) + 1 }, (_, i) => i * step).filter((tick) => tick >= low);
}

function powersOfTen([low, high]: readonly [number, number]): number[] {
  const first = Math.ceil(Math.log10(low));
  return Array.from({ length: Math.floor(Math.log10(high)) - first + 1 }, (_, i) => 10 ** (first + i));
}

/** Returns a range, with padding, that covers all of `values` and most of `noisy`, without outliers such as the losses of the
 *  first steps. */
export function rangeOf(values: readonly number[], noisy: readonly number[] = []): readonly [number, number] {
  const sorted = [...noisy].filter(Number.isFinite).sort((a, b) => a - b);
  const trimmed = sorted.length > 0 ? [quantile(sorted, 0.01), quantile(sorted, 0.97)] : [];
  const all = [...values.filter(Number.isFinite), ...trimmed];
  if (all.length === 0) return [0, 1];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const padding = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - padding, high + padding];
}

export const quantile = (sorted: readonly number[], q: number): number => sorted[Math.round(q * (sorted.length - 1))];

/** Removes NaN and infinite values, which are null in JSON. */
export const finite = (points: readonly Point[]): Point[] => points.filter(({ y }) => Number.isFinite(y));

export const lossTick = (value: number): string => String(Number(value.toPrecision(4)));

export const percentTick = (value: number): string => `${Number((100 * value).toFixed(1))}\u00a0%`;
