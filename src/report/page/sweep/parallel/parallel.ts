import { h, s } from '../../dom.ts';
import { light } from '../highlight.ts';
import { labelled } from '../scale.ts';
import { describe, type Sweep, type Trial, valuesText } from '../trials.ts';
import { type Axis, METRIC } from './axes.ts';
import { Brush, type Interval } from './brush.ts';
import { type Layout, layoutOf } from './layout.ts';

/** Selected intervals by the name of their axis. */
export type Selection = Map<string, Interval>;

/** Pixels within which a pointer finds a line. */
const NEAR = 14;

/** Parallel coordinates: a line per trial through its value on each axis.
 *  @param width in pixels. @param onSelect called after `selection` has changed. */
export function parallelCoordinates(
  sweep: Sweep,
  axes: readonly Axis[],
  selection: Selection,
  { width, onSelect }: { readonly width: number; readonly onSelect: () => void },
): HTMLElement {
  const layout = layoutOf(axes, width);
  const lines = linesOf(sweep, axes);
  const size = { viewBox: `0 0 ${layout.width} ${layout.height}`, width: layout.width, height: layout.height };
  const brushes = axes.map((axis, index) => {
    const onChange = (interval: Interval | undefined) => {
      if (interval) selection.set(axis.name, interval);
      else selection.delete(axis.name);
      onSelect();
    };
    return new Brush({ axis, index, layout, interval: selection.get(axis.name), onChange }).element;
  });
  const drawn = s(
    'svg',
    // The best is drawn last, above all others, but comes first for the arrow keys.
    { ...size, class: 'lines', role: 'listbox', 'aria-label': 'Trials', 'data-reversed': '' },
    [...lines].reverse().map((line) => path(line, sweep, layout)),
  );
  // A picture of its own, as it changes with every movement of the pointer, and hundreds of lines take long to draw.
  const above = s(
    'svg',
    { ...size, class: layout.isVertical ? 'above' : 'above sideways', role: 'group', 'aria-label': 'Axes' },
    gradient(axes, layout),
    s('path', { class: 'top' }),
    axes.map((axis, index) => drawnAxis(axis, index, layout)),
    brushes,
  );
  lightNearest(above, lines, layout);
  return h('div', { class: 'plot parallel' }, drawn, above);
}

/** Draws the line of a trial above all others. @param trial its number; undefined for none. */
export function drawOnTop(trial: number | undefined): void {
  const [line, top] = [document.getElementById(`line-${trial}`), document.querySelector('.parallel .top')];
  for (const name of ['d', 'style']) top?.setAttribute(name, line?.getAttribute(name) ?? '');
}

/** Returns the numbers of the trials inside all selected intervals. */
export function selectedTrials({ trials }: Sweep, axes: readonly Axis[], selection: Selection): ReadonlySet<number> {
  const brushed = axes.flatMap((axis) => {
    const interval = selection.get(axis.name);
    return interval ? [{ axis, interval }] : [];
  });
  const isInside = (trial: Trial) =>
    brushed.every(({ axis, interval: [from, to] }) => {
      const at = axis.position(trial);
      return at >= from - 1e-9 && at <= to + 1e-9;
    });
  return new Set(trials.filter(isInside).map(({ trial }) => trial));
}

interface TrialLine {
  readonly trial: Trial;
  /** On each axis. */
  readonly positions: readonly number[];
}

/** The lines of all trials, best first. */
function linesOf({ trials }: Sweep, axes: readonly Axis[]): TrialLine[] {
  return [...trials]
    .sort((a, b) => (a.rank ?? Number.POSITIVE_INFINITY) - (b.rank ?? Number.POSITIVE_INFINITY) || a.trial - b.trial)
    .map((trial) => ({ trial, positions: axes.map((axis) => axis.position(trial)) }));
}

function path({ trial, positions }: TrialLine, { report, metric }: Sweep, layout: Layout): SVGElement {
  const points = positions.map((position, axis) =>
    layout
      .point(axis, position)
      .map((n) => n.toFixed(1))
      .join(' '),
  );
  return s('path', {
    id: `line-${trial.trial}`,
    d: `M${points.join('L')}`,
    class: [trial.result === null ? 'broken' : '', trial.isWinner ? 'winner' : ''].join(' ').trim() || undefined,
    style: `--share:${(100 * positions.at(-1)!).toFixed(0)}%`,
    role: 'option',
    tabindex: -1,
    'data-trial': trial.trial,
    'aria-label': `${describe(trial, metric)}: ${valuesText(trial, report.parameters)}`,
  });
}

/** The colours along the axis of the metric, which explain those of the lines. */
function gradient(axes: readonly Axis[], { isVertical, point, length }: Layout): SVGElement {
  const [x, y] = point(axes.length - 1, isVertical ? 1 : 0);
  const stops = [0, 25, 50, 75, 100].map((share) =>
    s('stop', { offset: `${isVertical ? 100 - share : share}%`, class: 'ramp', style: `--share:${share}%` }),
  );
  const ordered = isVertical ? stops.reverse() : stops;
  const size = isVertical ? { x: x - 4, y, width: 8, height: length } : { x, y: y - 4, width: length, height: 8 };
  return s(
    'g',
    {},
    s('linearGradient', { id: 'ramp', x1: 0, y1: 0, x2: isVertical ? 0 : 1, y2: isVertical ? 1 : 0 }, ordered),
    s('rect', { ...size, rx: 4, fill: 'url(#ramp)' }),
  );
}

function drawnAxis(axis: Axis, index: number, layout: Layout): SVGElement {
  const [[x1, y1], [x2, y2]] = [layout.point(index, 0), layout.point(index, 1)];
  return s(
    'g',
    { class: 'axis', 'aria-hidden': 'true' },
    axis.name === METRIC ? null : s('line', { x1, y1, x2, y2 }),
    layout.isVertical ? verticalLabels(axis, index, layout) : horizontalLabels(axis, index, layout),
  );
}

function verticalLabels({ ticks, title, name }: Axis, index: number, { point, gap }: Layout): SVGElement[] {
  const limit = gap / 7.4;
  const [x, top] = point(index, 1);
  // The last title is a phrase, and has no room on its right.
  const lines = name === METRIC ? title.split(' ') : [shortened(title, limit)];
  return [
    ...ticks.map(({ at, label }) =>
      s('text', { x: x - 9, y: point(index, at)[1] + 4, 'text-anchor': 'end' }, shortened(label, limit - 4)),
    ),
    ...lines.map((line, i) =>
      s('text', { class: 'title', x, y: top - 26 - 16 * (lines.length - 1 - i), 'text-anchor': 'middle' }, line),
    ),
  ];
}

function horizontalLabels({ ticks, title }: Axis, index: number, { point, length }: Layout): SVGElement[] {
  const [x, y] = point(index, 0);
  return [
    ...labelled(ticks, length).map(({ label, middle }) =>
      s('text', { x: x + middle, y: y + 20, 'text-anchor': 'middle' }, shortened(label, 40)),
    ),
    s('text', { class: 'title', x, y: y - 12 }, title),
  ];
}

function shortened(text: string, limit: number): string {
  return text.length > limit ? `${text.slice(0, Math.max(1, Math.floor(limit) - 1))}…` : text;
}

/** Lights up the line nearest to the pointer. */
function lightNearest(svg: SVGElement, lines: readonly TrialLine[], layout: Layout): void {
  const find = (event: PointerEvent) => {
    const { left, top, width } = svg.getBoundingClientRect();
    const zoom = layout.width / width;
    const { axis, share, position } = layout.locate((event.clientX - left) * zoom, (event.clientY - top) * zoom);
    let [nearest, least]: [number | undefined, number] = [undefined, NEAR / layout.length];
    for (const { trial, positions } of lines) {
      const distance = Math.abs((1 - share) * positions[axis] + share * positions[axis + 1] - position);
      if (distance >= least || document.querySelector(`#line-${trial.trial}.out`)) continue;
      [nearest, least] = [trial.trial, distance];
    }
    light(nearest);
  };
  svg.addEventListener('pointermove', find);
  svg.addEventListener('pointerdown', find);
  svg.addEventListener('pointerleave', () => light(undefined));
}
