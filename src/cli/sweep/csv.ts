import type { SweepReport } from '../../report/sweep/sweep-data.ts';
import type { CsvValue } from '../terminal/csv.ts';

/** The trials of a sweep as rows of a table, best first; those without a result come last. */
export function csvTable({ trials, ranking, parameters, metric }: SweepReport): [header: string[], rows: CsvValue[][]] {
  const names = parameters.map(({ name }) => name);
  const header = ['place', 'trial', 'state', metric.name, 'deviation', 'seeds', 'epochs', ...names, 'seconds'];
  const places = new Map(ranking.map((ranked, i) => [ranked.trial, { ...ranked, place: i + 1 }]));
  const rows = trials.map(({ trial, state, score, epochs, values, seconds }) => {
    const ranked = places.get(trial);
    const row = [
      ranked?.place ?? null,
      trial,
      state,
      ranked?.mean ?? score,
      ranked?.deviation ?? null,
      ranked?.seeds ?? null,
      epochs,
      ...names.map((name) => values[name] ?? null),
      seconds,
    ];
    return { row, place: ranked?.place ?? Infinity };
  });
  return [header, rows.sort((a, b) => a.place - b.place || Number(a.row[1]) - Number(b.row[1])).map(({ row }) => row)];
}
