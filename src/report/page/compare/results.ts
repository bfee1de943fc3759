import type { RunReport, TestReport } from '../../report-data.ts';
import { type Child, type Column, h, table } from '../dom.ts';
import * as format from '../format.ts';
import { hiddenUnits } from '../run/run.ts';
import { parameterCount } from '../run/setup.ts';
import { CORRECT, shade } from '../shade.ts';
import {
  type ComparedRun,
  type Configuration,
  deviation,
  type Images,
  mean,
  named,
  testAccuracy,
  validationAccuracy,
} from './configurations.ts';

/** A row of the results: a configuration, or one of its several runs. */
type Row = Pick<ComparedRun, 'letter' | 'name' | 'colour'> & {
  readonly runs: readonly RunReport[];
  /** Whether it is a run of the configuration above. */
  readonly isMember: boolean;
};

type Value = (run: RunReport) => number | null | undefined;

interface Quantity {
  readonly title: string;
  readonly value: Value;
  readonly show: (value: number | null) => string;
  readonly showDeviation: (value: number) => string;
  /** Picks the best value; by default the highest. */
  readonly better?: (...values: number[]) => number;
}

/** Names of the losses, whose values cannot be compared with each other. */
export const LOSS_NAMES: Readonly<Record<string, string>> = { softmax: 'cross-entropy', hinge: 'hinge loss' };

/** The kinds of loss of some configurations. */
export const lossesOf = (configurations: readonly Configuration[]): string[] => [
  ...new Set(configurations.map(({ config }) => String(config.loss))),
];

const points = (value: number): string => (100 * value).toFixed(2);

/** Table of the main results on the same images, best first, with the best values marked. */
export function resultsTable({ name, configurations }: Images): HTMLElement {
  const rows = configurations.flatMap(rowsOf);
  const accuracy = { show: format.percent, showDeviation: points };
  return table(
    `Results on ${name}`,
    [
      { title: 'Run', cell: nameCell },
      { title: 'Model', cell: ({ runs: [run] }) => modelOf(run) },
      ranked(rows, { title: 'Validation accuracy', value: validationAccuracy, ...accuracy }),
      ranked(rows, { title: 'Test accuracy', value: testAccuracy, ...accuracy }),
      {
        title: '95\u00a0% interval',
        cell: ({ runs }) => intervalOf(runs, ({ test }) => test?.interval),
        numeric: true,
      },
      ...averagedColumns(rows),
      ...lossesOf(configurations).flatMap((loss) => lossColumns(rows, loss)),
      { title: 'Parameters', cell: ({ runs: [run] }) => format.count(parameterCount(run)), numeric: true },
      { title: 'Epochs', cell: ({ runs }) => [...new Set(runs.map(epochsOf))].join(' / '), numeric: true },
      { title: 'Time', cell: ({ runs }) => format.duration(mean(runs.map(({ seconds }) => seconds))), numeric: true },
    ],
    rows,
    ({ isMember }) => (isMember ? { class: 'member' } : {}),
  );
}

function rowsOf({ letter, name, colour, runs }: Configuration): Row[] {
  const whole = { letter, name, colour, runs: runs.map(({ run }) => run), isMember: false };
  if (runs.length === 1) return [whole];
  return [whole, ...runs.map((one) => ({ ...one, name: one.label, runs: [one.run], isMember: true }))];
}

function nameCell(row: Row): Child {
  const { runs, name } = row;
  const isOfSeeds = new Set(runs.map(({ config }) => config.seed)).size === runs.length;
  const detail =
    runs.length > 1
      ? `mean ± deviation of ${runs.length} ${isOfSeeds ? 'seeds' : 'runs'}`
      : format.baseName(runs[0].name);
  return [named(row), detail === name ? null : h('span', { class: 'detail' }, detail)];
}

const modelOf = (run: RunReport): string =>
  run.config.model === 'mlp' ? `MLP, H\u00a0=\u00a0${hiddenUnits(run)}` : 'linear';

/** Losses at the end of training. Those of another kind are not comparable, so each kind has columns of its own. */
function lossColumns(rows: readonly Row[], loss: string): Column<Row>[] {
  const name = LOSS_NAMES[loss] ?? loss;
  const only =
    (value: Value): Value =>
    (run) =>
      run.config.loss === loss ? value(run) : null;
  const shared = { show: format.loss, showDeviation: format.loss };
  return [
    ranked(rows, {
      title: `Validation ${name}`,
      value: only((run) => run.epochs.at(-1)?.validation?.loss),
      better: Math.min,
      ...shared,
    }),
    {
      title: `Training ${name}`,
      cell: ({ runs }) =>
        valueText(runs, { title: '', value: only((run) => run.epochs.at(-1)?.train.loss), ...shared }),
      numeric: true,
    },
  ];
}

/** The accuracy over views and its interval, if a run has them. */
function averagedColumns(rows: readonly Row[]): Column<Row>[] {
  const views = rows.flatMap(({ runs }) => runs.flatMap(({ test }) => test?.averaged?.views ?? []));
  if (views.length === 0) return [];
  return [
    ranked(rows, {
      title: `Averaged over ${views[0]} views`,
      value: ({ test }) => test?.averaged?.accuracy,
      show: format.percent,
      showDeviation: points,
    }),
    {
      title: '95\u00a0% interval',
      cell: ({ runs }) => intervalOf(runs, ({ test }) => test?.averaged?.interval),
      numeric: true,
    },
  ];
}

/** An interval of a single run; that of a mean is not known. */
function intervalOf(runs: readonly RunReport[], ends: (run: RunReport) => TestReport['interval'] | undefined): string {
  const interval = runs.length === 1 ? ends(runs[0]) : undefined;
  return interval ? format.interval(interval) : format.percent(null);
}

/** A column in which the best of the configurations is marked. */
function ranked(rows: readonly Row[], quantity: Quantity): Column<Row> {
  const { title, value, better = Math.max } = quantity;
  const meanOf = ({ runs }: Row) => mean(runs.map(value));
  const values = rows.filter(({ isMember }) => !isMember).flatMap((row) => meanOf(row) ?? []);
  const best = values.length > 1 ? better(...values) : null;
  const cell = (row: Row) => {
    const text = valueText(row.runs, quantity);
    const isBest = !row.isMember && best !== null && meanOf(row) === best;
    return isBest ? [h('span', { class: 'badge' }, 'best'), h('strong', {}, text)] : text;
  };
  return { title, cell, numeric: true };
}

/** A value, or the mean and the deviation of several. */
function valueText(runs: readonly RunReport[], { value, show, showDeviation }: Quantity): string {
  const values = runs.map(value);
  const spread = deviation(values);
  return spread === null ? show(mean(values)) : `${show(mean(values))} ± ${showDeviation(spread)}`;
}

function epochsOf({ state, epochs, plannedEpochs }: RunReport): string {
  const done = epochs.at(-1)?.epoch ?? 0;
  const note = state === 'finished' ? '' : ` (${state})`;
  return `${format.count(done)}${done < plannedEpochs ? ` of ${format.count(plannedEpochs)}` : ''}${note}`;
}

/** Table of the test accuracy with classes in rows and configurations in columns; null if no run has been tested. */
export function classTable({ name, configurations }: Images): HTMLElement | null {
  const tested = configurations.flatMap((one) => {
    const tests = one.runs.flatMap(({ run }) => run.test ?? []);
    return tests.length > 0 ? [{ one, tests }] : [];
  });
  const all = tested.flatMap(({ tests }) => tests.flatMap(({ perClass }) => perClass));
  if (all.length === 0) return null;
  const rows = [...new Set(all.map(({ name }) => name))].map((name) => ({
    name,
    shares: tested.map(({ tests }) => mean(tests.map(({ perClass }) => shareOf(perClass, name)))),
  }));
  const widest = Math.max(...all.map(({ interval: [low, high] }) => high - low));
  const columns = tested.map(({ one }, i) => ({
    title: named(one),
    cell: ({ shares }: (typeof rows)[number]) =>
      h(
        'span',
        { class: 'shaded', style: shares[i] === null ? undefined : shade(shares[i], CORRECT) },
        format.percent(shares[i], 1),
      ),
  }));
  return h(
    'figure',
    {},
    table(`Test accuracy by class on ${name}`, [{ title: 'Class', cell: (row) => row.name }, ...columns], rows),
    h(
      'figcaption',
      {},
      tested.length > 1
        ? 'If the lead of one run over another varies from class to class, the models differ in what they recognise, not only ' +
            'in how much. '
        : null,
      `The value of a run has a 95\u00a0% confidence interval of at most ±${(50 * widest).toFixed(1)} percentage points.`,
    ),
  );
}

function shareOf(perClass: TestReport['perClass'], name: string): number | null {
  const result = perClass.find((one) => one.name === name);
  return result && result.images > 0 ? result.correct / result.images : null;
}
