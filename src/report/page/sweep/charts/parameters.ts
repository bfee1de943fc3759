import * as Plot from '@observablehq/plot';
import type { SweptParameter } from '../../../sweep/sweep-data.ts';
import { type ChartSize, figure, quantile, rangeOf } from '../../chart.ts';
import { h, section } from '../../dom.ts';
import * as format from '../../format.ts';
import { labelled, type Scale, scaleOf } from '../scale.ts';
import { describe, firstScore, isBroken, type Metric, type Sweep, type Trial, valueText } from '../trials.ts';
import { type Dot, dotKey, dotMarks, linkDots } from './dots.ts';
import { rankCorrelation } from './rank-correlation.ts';

const [MIN_WIDTH, GAP, HEIGHT] = [300, 40, 230];

/** Section with a chart of each hyperparameter against the metric. @param width of the content, in pixels. */
export function parameterSection(sweep: Sweep, width: number): HTMLElement {
  const { report, metric, trials } = sweep;
  const [epochs] = report.rungs;
  const after = `after ${format.plural(epochs, 'epoch')}`;
  const columns = Math.max(1, Math.floor((width + GAP) / (MIN_WIDTH + GAP)));
  const size = { width: Math.floor((width - GAP * (columns - 1)) / columns), height: HEIGHT };
  const scored = trials
    .filter(({ sameAs }) => sameAs === undefined)
    .map((trial) => ({ trial, score: firstScore(trial, sweep) }))
    .filter(({ trial, score }) => score !== null || isBroken(trial));
  return section(
    'parameters',
    'Each hyperparameter',
    h(
      'p',
      { class: 'caption' },
      `${format.sentence(metric.label)} ${after}`,
      report.rungs.length > 1
        ? ', which all trials had: only the best were trained longer, so later results would hide what the others show. '
        : '. ',
      'ρ is the rank correlation (Spearman): 1 if the metric always rises with the value, −1 if it always falls, near 0 ' +
        'if the two are unrelated or the best value is in the middle.',
    ),
    dotKey(scored.map(({ trial }) => trial)),
    h(
      'div',
      { class: 'multiples', style: `--least:${MIN_WIDTH}px;--gap:${GAP}px` },
      report.parameters.map((parameter) => parameterChart(parameter, scored, metric, size)),
    ),
  );
}

interface Scored {
  readonly trial: Trial;
  readonly score: number | null;
}

function parameterChart(
  parameter: SweptParameter,
  all: readonly Scored[],
  metric: Metric,
  size: ChartSize,
): HTMLElement {
  const present = all.filter(({ trial }) => trial.values[parameter.name] !== undefined);
  const scale = scaleOf(
    parameter,
    present.map(({ trial }) => trial.values[parameter.name]),
  );
  const domainY = rangeOf(all.flatMap(({ score }) => score ?? []));
  const dots = present.map(({ trial, score }) => ({
    trial,
    x: scale.position(trial.values[parameter.name]) + (scale.isChoice ? jitter(trial, scale) : 0),
    y: score ?? domainY[0],
  }));
  const pairs = present.flatMap(({ trial, score }): [number, number][] =>
    score === null ? [] : [[Number(trial.values[parameter.name]), score]],
  );
  const isNumeric = parameter.domain.every((value) => typeof value === 'number');
  const rho = isNumeric ? rankCorrelation(pairs) : null;
  return figure(
    `parameter-${parameter.name}`,
    `${parameter.name}${parameter.scale === 'log' ? ' (log scale)' : ''}`,
    noteOn(pairs.length, all.length - present.length, { rho, isChoice: scale.isChoice }),
    `${format.plural(dots.length, 'trial')} by ${parameter.name} and ${metric.label}.`,
    linkDots(chart(scale, dots, present, { parameter, metric, domainY, size })),
  );
}

function noteOn(
  results: number,
  without: number,
  { rho, isChoice }: { readonly rho: number | null; readonly isChoice: boolean },
): string {
  const count = format.plural(results, 'trial');
  return [
    rho === null ? `${count} with a result` : `ρ = ${correlation(rho)} over ${count}`,
    ...(isChoice && results > 0 ? ['a bar marks the median of each choice'] : []),
    ...(without > 0 ? [`no effect in ${format.plural(without, 'other')}`] : []),
  ].join('; ');
}

const correlation = (rho: number): string => `${rho < 0 ? '−' : '+'}${Math.abs(rho).toFixed(2)}`;

interface ChartOptions {
  readonly parameter: SweptParameter;
  readonly metric: Metric;
  readonly domainY: readonly [number, number];
  readonly size: ChartSize;
}

function chart(
  scale: Scale,
  dots: readonly Dot[],
  scored: readonly Scored[],
  { parameter, metric, domainY, size }: ChartOptions,
): Element {
  const margin = scale.isChoice ? 0.5 * spacing(scale) : 0.03;
  const tips = dots.map((dot) => ({
    ...dot,
    text: `${describe(dot.trial, metric)}\n${parameter.name} ${valueText(dot.trial.values[parameter.name])}`,
  }));
  const ticks = labelled(scale.ticks, size.width - 60);
  return Plot.plot({
    width: size.width,
    height: size.height,
    marginTop: 8,
    marginBottom: 28,
    marginLeft: 48,
    marginRight: 12,
    style: { fontSize: '12px' },
    x: { domain: [-margin, 1 + margin] },
    y: { domain: domainY },
    marks: [
      Plot.gridY({ ticks: 4, strokeOpacity: 0.12 }),
      Plot.axisY({ ticks: 4, tickFormat: metric.tick, tickSize: 0, label: null }),
      Plot.axisX({
        ticks: ticks.map(({ at }) => at),
        tickFormat: (at: number) => ticks.find((tick) => tick.at === at)?.label ?? '',
        tickSize: 4,
        label: null,
      }),
      ...(scale.isChoice ? [medians(scale, parameter, scored)] : []),
      ...dotMarks(dots),
      Plot.tip(tips, Plot.pointer({ x: 'x', y: 'y', title: 'text', fontSize: 12, lineHeight: 1.35 })),
    ],
  });
}

/** Distance of two choices. */
const spacing = ({ ticks }: Scale): number => 1 / Math.max(1, ticks.length - 1);

/** Moves the dots of a choice apart, by the golden ratio, which leaves no gaps however many there are. */
function jitter({ trial }: Trial, scale: Scale): number {
  return 0.5 * spacing(scale) * (((trial * 0.618034) % 1) - 0.5);
}

/** A bar at the median of each choice. */
function medians(scale: Scale, { name }: SweptParameter, scored: readonly Scored[]): Plot.Markish {
  const bars = scale.ticks.flatMap(({ at }) => {
    const scores = scored.flatMap(({ trial, score }) =>
      score !== null && scale.position(trial.values[name]) === at ? [score] : [],
    );
    const sorted = scores.sort((a, b) => a - b);
    return sorted.length > 0 ? [{ at, y: quantile(sorted, 0.5) }] : [];
  });
  const half = 0.36 * spacing(scale);
  return Plot.link(bars, {
    x1: ({ at }) => at - half,
    x2: ({ at }) => at + half,
    y1: 'y',
    y2: 'y',
    stroke: 'currentColor',
    strokeWidth: 2,
    strokeOpacity: 0.5,
  });
}
