import * as Plot from '@observablehq/plot';
import type { RunReport } from '../../report-data.ts';
import { type ChartSize, figure, finite, type Line, lineChart, quantile, rangeOf } from '../chart.ts';
import { table } from '../dom.ts';
import * as format from '../format.ts';
import { epochAxis } from './curves.ts';

/** Maximum number of rows in a table. */
const MAX_ROWS = 40;

const SCHEDULES: Readonly<Record<string, string>> = {
  constant: 'stays constant',
  step: 'drops to a tenth half-way and to a hundredth after three quarters',
  linear: 'falls linearly to zero',
  cosine: 'falls to zero along half a cosine',
};

/** Chart of the learning rate by step; null if no step has been recorded. */
export function learningRate(run: RunReport, size: ChartSize): HTMLElement | null {
  const { steps, stepsPerEpoch, config } = run;
  if (steps.step.length === 0) return null;
  const points = steps.step.map((step, i) => ({ x: step / stepsPerEpoch, y: steps.learningRate[i], step }));
  const highest = Math.max(...steps.learningRate);
  const svg = lineChart(
    [{ colour: 'var(--series-1)', points }],
    {
      domainX: epochAxis(run),
      domainY: [0, highest * 1.06 || 1],
      tickY: (value) => String(Number(value.toPrecision(2))),
      tips: points.map(({ x, y, step }) => ({ x, y, text: `step ${format.count(step)}\n${format.small(y)}` })),
    },
    size,
  );
  const warmup = Number(config.warmup);
  const start = warmup > 0 ? `rises during warm-up (the first ${format.percent(warmup, 0)} of steps), then ` : '';
  return figure(
    'learning-rate',
    'Learning rate',
    `The factor that scales each update. It ${start}${SCHEDULES[String(config.schedule)] ?? 'changes'}. ` +
      'A high rate learns fast; a low one at the end lets training settle.',
    `It starts at ${format.small(steps.learningRate[0])}, reaches ${format.small(highest)} and is ` +
      `${format.small(steps.learningRate.at(-1))} at step ${format.count(steps.step.at(-1))}.`,
    svg,
    table(
      'Learning rate by step',
      [
        { title: 'Step', cell: ({ step }) => format.count(step), numeric: true },
        { title: 'Learning rate', cell: ({ y }) => format.small(y), numeric: true },
      ],
      sampleRows(points),
    ),
  );
}

/** Chart of ‖ΔW‖/‖W‖ of each parameter on a logarithmic axis; null if none has been recorded. */
export function updateRatios(run: RunReport, size: ChartSize): HTMLElement | null {
  const series = run.updateRatios.map(({ parameter, step, ratio }) => ({
    name: parameter,
    points: finite(step.map((s, i) => ({ x: s / run.stepsPerEpoch, y: ratio[i] }))).filter(({ y }) => y > 0),
  }));
  const values = series.flatMap(({ points }) => points.map(({ y }) => y));
  if (values.length === 0) return null;
  const hasBiases = series.some(({ name }) => name.endsWith('bias'));
  const biases = hasBiases ? ' Biases start at zero, so their ratios are high at first.' : '';
  const svg = lineChart(
    series.map((line, i) => ({ ...line, ...styleOf(run, i) })),
    {
      domainX: epochAxis(run),
      logarithmic: true,
      domainY: logRange(values),
      tickY: powerOfTen,
      background: [Plot.ruleY([1e-3], { stroke: 'currentColor', strokeDasharray: '6 4', strokeOpacity: 0.65 })],
      tips: ratioTips(run),
    },
    size,
  );
  return figure(
    'update-ratios',
    'Update-to-weight ratios',
    'The size of an update relative to that of the weights, ‖ΔW‖/‖W‖. Values near the dashed line at 10⁻³ are healthy. Far ' +
      `above it, training may become unstable; far below it, the model hardly learns.${biases}`,
    series.map(({ name, points }) => `${name}: ${spanOf(points.map(({ y }) => y))}.`).join(' '),
    svg,
    ratioTable(run),
  );
}

/** Returns a style with one colour per layer, dashed for biases. */
function styleOf({ updateRatios }: RunReport, i: number): Pick<Line, 'colour' | 'dash'> {
  const layerOf = (name: string) => name.replace(/\.[^.]*$/, '');
  const layers = [...new Set(updateRatios.map(({ parameter }) => layerOf(parameter)))];
  const { parameter } = updateRatios[i];
  const colour = `var(--series-${1 + (layers.indexOf(layerOf(parameter)) % 6)})`;
  return parameter.endsWith('bias') ? { colour, dash: '4 3' } : { colour };
}

/** Returns a range that covers 1e-3 and all but the most extreme ratios: at the end of a schedule they approach zero. */
function logRange(values: readonly number[]): readonly [number, number] {
  const sorted = [...values].sort((a, b) => a - b);
  const logs = [quantile(sorted, 0.03), quantile(sorted, 0.99), 0.5e-3, 2e-3].map(Math.log10);
  const [low, high] = rangeOf(logs);
  return [10 ** low, 10 ** high];
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

function powerOfTen(value: number): string {
  const power = Math.round(Math.log10(value));
  const digits = [...String(Math.abs(power))].map((digit) => SUPERSCRIPTS[Number(digit)]);
  return `10${power < 0 ? '⁻' : ''}${digits.join('')}`;
}

function spanOf(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return 'nothing recorded';
  return `median ${format.small(quantile(sorted, 0.5))}, last ${format.small(values.at(-1))}`;
}

interface RatioRow {
  readonly step: number;
  readonly ratios: readonly (number | undefined)[];
}

function ratioRows({ updateRatios }: RunReport): RatioRow[] {
  const byStep = updateRatios.map(({ step, ratio }) => new Map(step.map((s, i) => [s, ratio[i]])));
  const steps = [...new Set(updateRatios.flatMap(({ step }) => step))].sort((a, b) => a - b);
  return steps.map((step) => ({ step, ratios: byStep.map((ratios) => ratios.get(step)) }));
}

function ratioTips(run: RunReport) {
  return ratioRows(run).flatMap(({ step, ratios }) => {
    const y = ratios.find((ratio) => ratio !== undefined && ratio > 0);
    if (y === undefined) return [];
    const lines = run.updateRatios.map(({ parameter }, i) => `${parameter} ${format.small(ratios[i])}`);
    return [{ x: step / run.stepsPerEpoch, y, text: [`step ${format.count(step)}`, ...lines].join('\n') }];
  });
}

function ratioTable(run: RunReport): HTMLElement {
  return table(
    'Update-to-weight ratios by step',
    [
      { title: 'Step', cell: ({ step }: RatioRow) => format.count(step), numeric: true },
      ...run.updateRatios.map(({ parameter }, i) => ({
        title: parameter,
        cell: ({ ratios }: RatioRow) => format.small(ratios[i]),
        numeric: true,
      })),
    ],
    sampleRows(ratioRows(run)),
  );
}

/** Returns at most MAX_ROWS evenly spaced rows, including the last one. */
function sampleRows<Row>(rows: readonly Row[]): Row[] {
  const step = Math.max(1, Math.ceil(rows.length / MAX_ROWS));
  return rows.filter((_, i) => (rows.length - 1 - i) % step === 0);
}
