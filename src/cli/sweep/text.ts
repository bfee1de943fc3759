import type { SweepReport, TrialReport, Value } from '../../report/sweep/sweep-data.ts';
import type { MetricName } from '../../sweep/plan/definition.ts';
import { flagOf } from '../inputs/field-names.ts';
import * as format from '../terminal/format.ts';
import { type Io, painter } from '../terminal/io.ts';
import { type Column, tableLines } from '../terminal/table.ts';

/** Rows of the ranking that are printed. */
const MAX_ROWS = 10;

/** The ranking's head, the winner with its command and its test, and what else should be known. */
export function resultLines(report: SweepReport, io: Io, width = Infinity): string[] {
  const paint = painter(io.stdout, io.env);
  const { ranking, trials, winner } = report;
  if (ranking.length === 0) return [...progressLines(report), 'no trial has a result', ...troubles(report)];
  const names = report.parameters.map(({ name }) => name);
  const columns = [
    { header: 'place', align: 'right' },
    { header: 'trial', align: 'right' },
    { header: metricLabel(report), align: 'right', style: 'bold' },
    { header: 'epochs', align: 'right' },
    ...names.map((name) => ({ header: optionName(name), align: 'right' as const })),
  ] satisfies Column[];
  const rows = ranking.slice(0, MAX_ROWS).map((ranked, i) => {
    const trial = trials[ranked.trial];
    const cells = [
      `${i + 1}`,
      `${ranked.trial}`,
      scoreText(report, ranked.mean, ranked.deviation),
      `${trial.epochs}`,
      ...names.map((name) => valueText(trial.values[name])),
    ];
    return cells.map((cell) => [cell]);
  });
  const more = ranking.length > MAX_ROWS ? [`… and ${ranking.length - MAX_ROWS} more`] : [];
  return [
    ...progressLines(report),
    ...tableLines(columns, rows, paint, width),
    ...more,
    ...(winner ? winnerLines(report, paint) : []),
    ...troubles(report),
  ];
}

function winnerLines({ winner, ranking, ...report }: SweepReport, paint: ReturnType<typeof painter>): string[] {
  const { trial, test, command, borders } = winner!;
  const [{ seeds, mean, deviation }] = ranking;
  const over = seeds > 1 ? ` over ${seeds} seeds` : '';
  const testText = test
    ? `; test accuracy ${paint('bold', format.percent(test.accuracy))} (${format.interval(test.interval)})`
    : '';
  return [
    '',
    `winner: trial ${trial}, ${metricLabel(report)} ${scoreText(report, mean, deviation)}${over}${testText}`,
    'train it with:',
    `  ${command}`,
    ...borders.map((border) => `note: ${border}`),
  ];
}

/** How far a sweep is that has not finished. */
function progressLines({ state, planned, trials }: SweepReport): string[] {
  if (state === 'finished') return [];
  const ended = trials.filter((trial) => trial.state !== 'waiting' && trial.state !== 'running').length;
  return [`${state}; ${ended} of ${format.plural(planned, 'trial')} have ended`];
}

/** How many trials have no result, and why the first of them has none. */
function troubles({ trials }: SweepReport): string[] {
  return (['diverged', 'failed'] as const).flatMap((state) => {
    const found = trials.filter((trial) => trial.state === state);
    if (found.length === 0) return [];
    const which = found.slice(0, 5).map(({ trial }) => trial);
    const list = found.length > which.length ? `${which.join(', ')}, …` : which.join(', ');
    const reason = found[0].error === undefined ? '' : `: ${found[0].error.split('\n')[0]}`;
    return [`${format.plural(found.length, 'trial')} ${state} (${list})${reason}`];
  });
}

/** "val acc" or "val loss" */
function metricLabel({ metric }: Pick<SweepReport, 'metric'>): string {
  return metric.name === 'validation.loss' ? 'val loss' : 'val acc';
}

/** 41.20 %, or 41.20 % ± 0.15 % */
function scoreText({ metric }: Pick<SweepReport, 'metric'>, value: number, deviation: number | null): string {
  const text = metric.name === 'validation.loss' ? format.loss : format.percent;
  return deviation === null ? text(value) : `${text(value)} ± ${text(deviation)}`;
}

/** val acc 41.20 % */
export function metricText(name: MetricName, value: number): string {
  const metric = { name, goal: 'maximize' } as const;
  return `${metricLabel({ metric })} ${scoreText({ metric }, value, null)}`;
}

/** Name of a hyperparameter as in its option, without the dashes. */
function optionName(name: string): string {
  return flagOf(name).slice(2);
}

function valueText(value: Value | undefined): string {
  return value === undefined ? '–' : String(value);
}

/** lr 0.0031, weight-decay 0.0001 */
export function valuesText(values: TrialReport['values']): string {
  return Object.entries(values)
    .map(([name, value]) => `${optionName(name)} ${value}`)
    .join(', ');
}
