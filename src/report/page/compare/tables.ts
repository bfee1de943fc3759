import type { RunReport, TestReport } from '../../report-data.ts';
import { type Child, type Column, h, table } from '../dom.ts';
import * as format from '../format.ts';
import { bestOf } from '../run.ts';
import { parameterCount } from '../setup.ts';
import { RIGHT, shade } from '../shade.ts';
import { between } from '../test-results.ts';
import { badge, type Contestant } from './contestant.ts';

const named = (one: Contestant): Child => h('span', { class: 'named' }, badge(one), one.name);

const testAccuracy = ({ run }: Contestant): number | null => run.test?.accuracy ?? null;
const validationAccuracy = ({ run }: Contestant): number | null => bestOf(run)?.accuracy ?? null;
const validationLoss = ({ run }: Contestant): number | null => run.epochs.at(-1)?.validation?.loss ?? null;

/** The headline numbers, the best of each kind marked. */
export function resultsTable(all: readonly Contestant[]): HTMLElement {
  return table(
    'Results of the runs',
    [
      { title: 'Run', cell: named },
      {
        title: 'Model',
        cell: ({ run }) =>
          run.config.model === 'mlp' ? `MLP, H\u00a0=\u00a0${format.setting(run.config.hidden)}` : 'linear',
      },
      ranked(all, 'Test accuracy', testAccuracy, format.percent),
      {
        title: '95\u00a0% interval',
        cell: ({ run }) => (run.test ? between(run.test.interval) : format.percent(null)),
        numeric: true,
      },
      ranked(all, 'Validation accuracy', validationAccuracy, format.percent),
      ranked(all, 'Validation loss', validationLoss, format.loss, Math.min),
      { title: 'Training loss', cell: ({ run }) => format.loss(run.epochs.at(-1)?.train.loss), numeric: true },
      { title: 'Parameters', cell: ({ run }) => format.count(parameterCount(run)), numeric: true },
      { title: 'Epochs', cell: ({ run }) => epochsOf(run), numeric: true },
      { title: 'Time', cell: ({ run }) => format.duration(run.seconds), numeric: true },
    ],
    all,
  );
}

/** A column in which the best value is marked. @param better picks it, the highest if it is not given. */
function ranked(
  all: readonly Contestant[],
  title: string,
  value: (one: Contestant) => number | null,
  show: (value: number | null) => string,
  better: (...values: number[]) => number = Math.max,
): Column<Contestant> {
  const values = all.map(value).filter((n) => n !== null);
  const best = values.length > 1 ? better(...values) : null;
  const cell = (one: Contestant) => {
    const own = value(one);
    const isBest = own !== null && own === best;
    return isBest ? [h('span', { class: 'badge' }, 'best'), h('strong', {}, show(own))] : show(own);
  };
  return { title, cell, numeric: true };
}

function epochsOf({ state, epochs, plannedEpochs }: RunReport): string {
  const done = epochs.at(-1)?.epoch ?? 0;
  const note = state === 'finished' ? '' : ` (${state})`;
  return `${format.count(done)}${done < plannedEpochs ? ` of ${format.count(plannedEpochs)}` : ''}${note}`;
}

/** Whether the best test accuracy can be told from the next one. */
export function verdict(all: readonly Contestant[]): Child {
  const tested = all.flatMap((one) => (one.run.test ? [{ ...one, test: one.run.test }] : []));
  const [first, second] = tested.sort((a, b) => b.test.accuracy - a.test.accuracy);
  const note = 'Validation accuracy: in the best epoch; losses: in the last one.';
  if (!second) return h('p', { class: 'caption' }, note);
  const lead = `${(100 * (first.test.accuracy - second.test.accuracy)).toFixed(2)} percentage points`;
  const overlaps = first.test.interval[0] <= second.test.interval[1];
  return h(
    'p',
    { class: 'caption' },
    `${first.letter} leads ${second.letter} by ${lead} on the test images. `,
    overlaps
      ? 'Their 95\u00a0% intervals overlap, so the order may be chance: repeat both with other seeds before you choose.'
      : 'Their 95\u00a0% intervals do not overlap: other test images would hardly change the order.',
    ` ${note}`,
  );
}

/** The classes in rows, the runs in columns; null where no run has been tested. */
export function classTable(all: readonly Contestant[]): HTMLElement | null {
  const tested = all.flatMap((one) => (one.run.test ? [{ one, perClass: one.run.test.perClass }] : []));
  const names = [...new Set(tested.flatMap(({ perClass }) => perClass.map(({ name }) => name)))];
  if (tested.length === 0) return null;
  const rows = names.map((name) => ({ name, shares: tested.map(({ perClass }) => shareOf(perClass, name)) }));
  const intervals = tested.flatMap(({ perClass }) => perClass.map(({ interval }) => interval));
  const widest = Math.max(...intervals.map(([low, high]) => high - low));
  return h(
    'figure',
    {},
    table(
      'Test accuracy by class',
      [
        { title: 'Class', cell: ({ name }: (typeof rows)[number]) => name },
        ...tested.map(({ one }, i) => ({
          title: named(one),
          cell: ({ shares }: (typeof rows)[number]) =>
            h(
              'span',
              { class: 'shaded', style: shares[i] === null ? undefined : shade(shares[i], RIGHT) },
              format.percent(shares[i], 1),
            ),
        })),
      ],
      rows,
    ),
    h(
      'figcaption',
      {},
      'Where a row is uneven, the models differ in what they recognise, and not only in how much; the 95\u00a0% interval of a ' +
        `single number reaches up to ${(50 * widest).toFixed(1)} percentage points to either side.`,
    ),
  );
}

function shareOf(perClass: TestReport['perClass'], name: string): number | null {
  const result = perClass.find((one) => one.name === name);
  return result && result.images > 0 ? result.correct / result.images : null;
}

/** The hyperparameters in which not all runs agree. */
export function differences(runs: readonly RunReport[]): string[] {
  const keys = [...new Set(runs.flatMap(({ config }) => Object.keys(config)))];
  return keys.filter((key) => new Set(runs.map(({ config }) => config[key])).size > 1);
}

export function differenceTable(all: readonly Contestant[], differing: readonly string[]): HTMLElement {
  if (differing.length === 0) return h('p', {}, 'All runs have the same configuration.');
  const columns: Column<string>[] = [
    { title: 'Hyperparameter', cell: (key) => key },
    ...all.map(
      (one): Column<string> => ({
        title: named(one),
        cell: (key) =>
          h('span', { class: isUsual(key, one, all) ? undefined : 'unusual' }, format.setting(one.run.config[key])),
      }),
    ),
  ];
  return h(
    'div',
    {},
    table('Hyperparameters in which the runs differ', columns, differing),
    h(
      'p',
      { class: 'caption' },
      'Only what differs; a value that most runs do not share is marked. A dash: without effect in that run.',
    ),
  );
}

/** Whether more than half of the runs have the same value. */
function isUsual(key: string, { run }: Contestant, all: readonly Contestant[]): boolean {
  const same = all.filter((other) => other.run.config[key] === run.config[key]).length;
  return 2 * same > all.length;
}
