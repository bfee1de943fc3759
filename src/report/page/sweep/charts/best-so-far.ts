import { type ChartSize, figure, lineChart, type Point, rangeOf } from '../../chart.ts';
import * as format from '../../format.ts';
import { describe, isBroken, type Metric, resultText, type Sweep, type Trial, valuesText } from '../trials.ts';
import { dotKey, dotMarks, linkDots } from './dots.ts';

/** Chart of the metric of each trial in order, and of the best result so far. */
export function bestSoFar({ report, trials, metric }: Sweep, size: ChartSize): HTMLElement {
  const shown = trials.filter((trial) => trial.result !== null || isBroken(trial));
  const steps = improvements(trials, metric);
  const [first, last] = [trials[0]?.trial ?? 0, trials.at(-1)?.trial ?? 0];
  const domainY = rangeOf(trials.flatMap(({ result }) => result ?? []));
  const dots = shown.map((trial) => ({ trial, x: trial.trial, y: trial.result ?? domainY[0] }));
  const svg = lineChart(
    [{ colour: 'var(--series-2)', points: staircase(steps, last) }],
    {
      labelX: 'trial',
      domainX: [first - 0.5, last + 0.5],
      domainY,
      tickY: metric.tick,
      background: dotMarks(dots),
      tips: dots.map((dot) => ({
        ...dot,
        text: `${describe(dot.trial, metric)}\n${valuesText(dot.trial, report.parameters.slice(0, 8)).replaceAll(', ', '\n')}`,
      })),
    },
    size,
  );
  const rungs =
    report.rungs.length > 1 ? ' Eliminated trials stopped early, so their results are from fewer epochs.' : '';
  return figure(
    'best-so-far',
    `${format.sentence(metric.label)} by trial`,
    [
      `${steps.length > 0 ? 'The line is the best result so far' : 'No trial has a result yet'}${shown.some(isBroken) ? '; trials without one are at the lower edge' : ''}.${rungs}`,
      dotKey(shown),
    ],
    alternative(steps, metric),
    linkDots(svg),
  );
}

/** The trials that were better than all before. */
function improvements(trials: readonly Trial[], { sign }: Metric): (Trial & { readonly result: number })[] {
  const steps: (Trial & { readonly result: number })[] = [];
  for (const trial of trials) {
    const { result } = trial;
    const best = steps.at(-1)?.result ?? -sign * Number.POSITIVE_INFINITY;
    if (result !== null && sign * (result - best) > 0) steps.push({ ...trial, result });
  }
  return steps;
}

/** A line that keeps each value until the next one. */
function staircase(steps: readonly { readonly trial: number; readonly result: number }[], last: number): Point[] {
  return steps.flatMap(({ trial, result }, i) => [
    { x: trial, y: result },
    { x: steps[i + 1]?.trial ?? last + 0.5, y: result },
  ]);
}

function alternative(steps: readonly Trial[], metric: Metric): string {
  const best = steps.at(-1);
  if (!best) return 'No trial has a result.';
  return (
    `The best result rises in ${format.plural(steps.length, 'step')}, from ${resultText(steps[0], metric)} of trial ` +
    `${steps[0].trial} to ${resultText(best, metric)} of trial ${best.trial}.`
  );
}
