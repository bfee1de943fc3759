import type { SweepReport, SweptParameter, TrialReport, Value } from '../../sweep/sweep-data.ts';
import { lossTick, percentTick } from '../chart.ts';
import * as format from '../format.ts';

/** What trials are compared by. */
export interface Metric {
  readonly key: 'accuracy' | 'loss';
  readonly label: string;
  /** 1 if higher is better, −1 if lower is. */
  readonly sign: 1 | -1;
  readonly show: (value: number | null | undefined) => string;
  /** A difference or a deviation, without the unit. */
  readonly showDeviation: (value: number) => string;
  readonly tick: (value: number) => string;
}

/** A trial with its place in the ranking. */
export interface Trial extends TrialReport {
  /** Counted from 1; null without a place in the ranking. */
  readonly rank: number | null;
  readonly isWinner: boolean;
  /** The metric: the mean over the seeds if it was trained with several, else the score; null if there is none. */
  readonly result: number | null;
  readonly deviation: number | null;
  readonly seeds: number;
}

/** A sweep as the page shows it. */
export interface Sweep {
  readonly report: SweepReport;
  readonly metric: Metric;
  readonly trials: readonly Trial[];
  /** Those with a result, best first. */
  readonly ranked: readonly Trial[];
  readonly winner: Trial | null;
}

const ACCURACY = {
  key: 'accuracy',
  label: 'validation accuracy',
  show: format.percent,
  showDeviation: (value: number) => (100 * value).toFixed(2),
  tick: percentTick,
} as const;

const LOSS = {
  key: 'loss',
  label: 'validation loss',
  show: format.loss,
  showDeviation: format.loss,
  tick: lossTick,
} as const;

export function sweepOf(report: SweepReport): Sweep {
  const metric = metricOf(report);
  const places = new Map(report.ranking.map((ranked, i) => [ranked.trial, { ...ranked, rank: i + 1 }]));
  const trials = report.trials.map((trial): Trial => {
    const place = places.get(trial.trial);
    return {
      ...trial,
      rank: place?.rank ?? null,
      isWinner: trial.trial === report.winner?.trial,
      result: finiteOrNull(trial.score === null ? null : (place?.mean ?? trial.score)),
      deviation: finiteOrNull(place?.deviation),
      seeds: place?.seeds ?? 1,
    };
  });
  const ranked = trials.filter(({ result, rank }) => result !== null && rank !== null);
  return {
    report,
    metric,
    trials,
    ranked: ranked.sort((a, b) => a.rank! - b.rank!),
    winner: trials.find(({ isWinner }) => isWinner) ?? null,
  };
}

function metricOf({ metric: { name, goal } }: SweepReport): Metric {
  return { ...(name === 'validation.loss' ? LOSS : ACCURACY), sign: goal === 'minimize' ? -1 : 1 };
}

/** NaN and infinite values are null in JSON. */
const finiteOrNull = (value: number | null | undefined): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;

/** "41.73 % ± 0.21" */
export function resultText({ result, deviation }: Trial, metric: Metric): string {
  return deviation === null ? metric.show(result) : `${metric.show(result)} ± ${metric.showDeviation(deviation)}`;
}

/** The metric of a trial at the first rung, which all trials with a result had; null if it has none. */
export function firstScore({ score, curve }: TrialReport, { report, metric }: Pick<Sweep, 'report' | 'metric'>) {
  if (report.rungs.length === 1) return finiteOrNull(score);
  return finiteOrNull(curve.find(({ epoch }) => epoch === report.rungs[0])?.validation?.[metric.key]);
}

/** Whether training has ended without a result. */
export const isBroken = ({ state }: TrialReport): boolean => state === 'diverged' || state === 'failed';

/** Whether nothing remains to be done for a trial, unless its rank is to be confirmed with more seeds. */
export const isDone = ({ state }: TrialReport): boolean => state !== 'waiting' && state !== 'running';

/** Name and result of a trial: "trial 7, 41.73 %, eliminated". */
export function describe(trial: Trial, metric: Metric): string {
  const result = trial.result === null ? [] : [resultText(trial, metric)];
  return [`trial ${trial.trial}`, ...result, trial.isWinner ? 'winner' : trial.state].join(', ');
}

/** The values of the swept hyperparameters of a trial: "lr 0.012, hidden 128". */
export function valuesText({ values }: TrialReport, parameters: readonly SweptParameter[]): string {
  return parameters
    .filter(({ name }) => values[name] !== undefined)
    .map(({ name }) => `${name} ${valueText(values[name])}`)
    .join(', ');
}

/** A value of a hyperparameter, with as many digits as help. */
export function valueText(value: Value | undefined): string {
  return typeof value === 'number' ? numberText(value) : format.setting(value);
}

/** A number with at most four significant digits: 0.01234, 2.5e-7, 49000 */
export function numberText(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const rounded = Number(value.toPrecision(4));
  return Math.abs(value) < 1e-4 ? rounded.toExponential() : String(rounded);
}
