import * as Plot from '@observablehq/plot';
import { type ChartSize, figure, finite, type Line, lineChart, rangeOf } from '../../chart.ts';
import { table } from '../../dom.ts';
import * as format from '../../format.ts';
import { isBroken, type Metric, resultText, type Sweep, type Trial } from '../trials.ts';

const LEADERS = 5;

/** Chart of the metric by epoch, of the leaders in colour and of all others faintly. Null if no trial has a curve. */
export function learningCurves({ report, metric, trials, ranked, winner }: Sweep, size: ChartSize): HTMLElement | null {
  const leaders = ranked.filter((trial) => pointsOf(trial, metric).length > 0 && !isBroken(trial)).slice(0, LEADERS);
  const others = trials.filter((trial) => !leaders.includes(trial) && trial.sameAs === undefined);
  const faint = others.flatMap((trial) => pointsOf(trial, metric).map((point) => ({ ...point, trial: trial.trial })));
  if (leaders.length === 0 && faint.length === 0) return null;
  const lines = leaders.map((trial, i) => lineOf(trial, i, metric));
  const epochs = [...new Set([...lines.flatMap(({ points }) => points), ...faint].map(({ x }) => x))];
  const svg = lineChart(
    [...lines].reverse(),
    {
      domainX: [0, Math.max(1, ...epochs)],
      domainY: rangeOf(
        lines.flatMap(({ points }) => points.map(({ y }) => y)),
        faint.map(({ y }) => y),
      ),
      tickY: metric.tick,
      background: [
        Plot.line(faint, { x: 'x', y: 'y', z: 'trial', stroke: 'currentColor', strokeOpacity: 0.16, clip: true }),
        // A curve of a single point is no line.
        Plot.dot(faint, { x: 'x', y: 'y', fill: 'currentColor', fillOpacity: 0.16, r: 2, clip: true }),
      ],
      tips: epochs.sort((a, b) => a - b).flatMap((epoch) => tipOf(leaders, epoch, metric)),
    },
    size,
  );
  return figure(
    'curves',
    `${format.sentence(metric.label)} by epoch`,
    caption(leaders.length, faint.length > 0, { report, winner }),
    leaders.map((trial) => `Trial ${trial.trial} reaches ${resultText(trial, metric)}.`).join(' '),
    svg,
    numbers(leaders, epochs, metric),
  );
}

/** Table of the leaders' curves. */
function numbers(leaders: readonly Trial[], epochs: readonly number[], metric: Metric): HTMLElement {
  return table(
    `${format.sentence(metric.label)} by epoch`,
    [
      { title: 'Epoch', cell: (epoch: number) => format.count(epoch), numeric: true },
      ...leaders.map((trial) => ({
        title: `Trial ${trial.trial}`,
        cell: (epoch: number) => metric.show(at(trial, epoch, metric)),
        numeric: true,
      })),
    ],
    epochs.filter((epoch) => leaders.some((trial) => at(trial, epoch, metric) !== undefined)),
  );
}

function caption(leaders: number, hasOthers: boolean, { report, winner }: Pick<Sweep, 'report' | 'winner'>): string {
  const best =
    leaders > 1 ? `The ${leaders} best trials${winner ? ', the winner with a strong line' : ''}` : 'The best trial';
  const others = hasOthers ? (leaders > 0 ? '; all others are grey' : 'Trials without a result are grey') : '';
  const schedule =
    report.rungs.length > 1
      ? ' All follow the learning-rate schedule of a whole training, so eliminated trials have not had its low rates.'
      : '';
  return `${leaders > 0 ? best : ''}${others}.${schedule}`;
}

function lineOf(trial: Trial, index: number, metric: Metric): Line {
  return {
    // The colour of the winner is the same in all charts.
    colour: `var(--series-${[2, 1, 3, 5, 6][index]})`,
    name: trial.isWinner ? `★ ${trial.trial}` : String(trial.trial),
    points: pointsOf(trial, metric),
    dots: true,
    ...(trial.isWinner ? { emphasis: 'strong' } : {}),
  };
}

const pointsOf = ({ curve }: Trial, { key }: Metric) =>
  finite(curve.map(({ epoch, validation }) => ({ x: epoch, y: validation?.[key] ?? Number.NaN })));

const at = (trial: Trial, epoch: number, metric: Metric): number | undefined =>
  pointsOf(trial, metric).find(({ x }) => x === epoch)?.y;

/** Tooltip with the values of the leaders after an epoch. */
function tipOf(leaders: readonly Trial[], epoch: number, metric: Metric) {
  const present = leaders.filter((trial) => at(trial, epoch, metric) !== undefined);
  if (present.length === 0) return [];
  const values = present.map((trial) => `trial ${trial.trial} ${metric.show(at(trial, epoch, metric))}`);
  return [{ x: epoch, y: at(present[0], epoch, metric)!, text: [`epoch ${epoch}`, ...values].join('\n') }];
}
