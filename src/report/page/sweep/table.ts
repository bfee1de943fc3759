import { type Child, type Column, h, section, table } from '../dom.ts';
import * as format from '../format.ts';
import { resultText, type Sweep, type Trial, valueText } from './trials.ts';

/** Rows of the table before all are asked for. */
const FIRST_ROWS = 100;

/** How the reader wants the table. */
export interface TableView {
  /** Key of the column that sorts the rows. */
  readonly key: string;
  readonly isDescending: boolean;
  readonly showsAll: boolean;
}

/** By rank; without a ranking, by number. */
export const firstView = ({ ranked }: Sweep): TableView => ({
  key: ranked.length > 0 ? 'rank' : 'trial',
  isDescending: false,
  showsAll: false,
});

interface TrialColumn extends Column<Trial> {
  readonly key: string;
  readonly name: string;
  /** Sorts the rows; undefined and null come last, whatever the direction. */
  readonly value: (trial: Trial) => string | number | null | undefined;
}

/** Section with a table of the selected trials. */
export function trialTable(sweep: Sweep, selected: ReadonlySet<number>, view: TableView): HTMLElement {
  const columns = columnsOf(sweep);
  const chosen = columns.find(({ key }) => key === view.key) ?? columns[0];
  const rows = sorted(
    sweep.trials.filter(({ trial }) => selected.has(trial)),
    chosen,
    view.isDescending,
  );
  const shown = view.showsAll ? rows : rows.slice(0, FIRST_ROWS);
  const direction = view.isDescending ? 'descending' : 'ascending';
  return section(
    'trials',
    'Trials',
    h('p', { class: 'caption' }, countText(shown.length, rows.length, sweep.trials.length)),
    table(
      'Trials',
      columns.map((column) => ({
        ...column,
        title: sortButton(column, column === chosen ? direction : undefined),
        sorted: column === chosen ? direction : undefined,
      })),
      shown,
      ({ trial }, i) => ({ 'data-trial': trial, tabindex: i === 0 ? 0 : -1 }),
    ),
    shown.length < rows.length
      ? h(
          'button',
          { type: 'button', class: 'plain', id: 'show-all' },
          `Show all ${format.plural(rows.length, 'trial')}`,
        )
      : null,
  );
}

function countText(shown: number, selected: number, all: number): string {
  const which =
    selected < all
      ? `${format.count(selected)} of ${format.plural(all, 'trial')} selected above`
      : format.plural(all, 'trial');
  return shown < selected ? `The first ${format.count(shown)} of ${which}.` : `${which}.`;
}

function sortButton({ key, name }: TrialColumn, direction: 'ascending' | 'descending' | undefined): HTMLElement {
  const arrow = direction === undefined ? '↕' : direction === 'ascending' ? '↑' : '↓';
  return h(
    'button',
    { type: 'button', class: 'sort', 'data-sort': key },
    name,
    h('span', { class: 'arrow', 'aria-hidden': 'true' }, `\u00a0${arrow}`),
  );
}

function columnsOf({ report, metric, ranked }: Sweep): TrialColumn[] {
  const rank = numberColumn('rank', 'Rank', ({ rank: place }) => place, format.count);
  return [
    { ...numberColumn('trial', 'Trial', ({ trial }) => trial, String), cell: nameCell },
    ...(ranked.length > 0 ? [rank] : []),
    { key: 'state', name: 'State', title: 'State', value: stateText, cell: stateCell },
    {
      ...numberColumn('result', format.sentence(metric.label), ({ result }) => result, String),
      cell: (trial) => resultText(trial, metric),
    },
    numberColumn('epochs', 'Epochs', ({ epochs }) => epochs, format.count),
    numberColumn(
      'seconds',
      'Seconds',
      ({ seconds }) => seconds,
      (seconds) => (seconds ?? 0).toFixed(2),
    ),
    ...report.parameters.map(({ name }) => {
      const values = report.trials.map((trial) => trial.values[name]);
      return parameterColumn(name, values);
    }),
  ];
}

function numberColumn(
  key: string,
  name: string,
  value: (trial: Trial) => number | null,
  show: (value: number | null) => string,
): TrialColumn {
  return { key, name, title: name, value, cell: (trial) => show(value(trial)), numeric: true };
}

/** A column of a hyperparameter. Its key cannot be that of another column. */
function parameterColumn(name: string, values: readonly unknown[]): TrialColumn {
  return {
    key: `values.${name}`,
    name,
    title: name,
    value: ({ values: own }) =>
      typeof own[name] === 'boolean' ? Number(own[name]) : (own[name] as string | number | null),
    cell: ({ values: own }) => valueText(own[name]),
    numeric: values.every((value) => value === undefined || typeof value === 'number'),
  };
}

const nameCell = ({ trial, isWinner }: Trial): Child => [
  isWinner ? h('span', { class: 'badge' }, 'winner') : null,
  String(trial),
];

const stateText = ({ state, sameAs }: Trial): string => (sameAs === undefined ? state : `same as trial ${sameAs}`);

function stateCell(trial: Trial): Child {
  const text = stateText(trial);
  return trial.error === undefined ? text : [text, h('span', { class: 'reason' }, trial.error)];
}

function sorted(trials: readonly Trial[], { value }: TrialColumn, isDescending: boolean): Trial[] {
  const sign = isDescending ? -1 : 1;
  return [...trials].sort((a, b) => {
    const [left, right] = [value(a), value(b)];
    if (left == null || right == null) return Number(left == null) - Number(right == null);
    if (left === right) return 0;
    const isBefore = typeof left === typeof right ? left < right : String(left) < String(right);
    return isBefore ? -sign : sign;
  });
}
