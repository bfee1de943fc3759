import type { RunReport, TestReport } from '../../report-data.ts';
import { type Child, type Column, h, table } from '../dom.ts';
import * as format from '../format.ts';
import { bestOf, hiddenUnits } from '../run/run.ts';
import { parameterCount } from '../run/setup.ts';
import { CORRECT, shade } from '../shade.ts';
import { badge, type ComparedRun, usedSameImages } from './compared-run.ts';

const named = (one: ComparedRun): Child => h('span', { class: 'named' }, badge(one), one.name);

const testAccuracy = ({ run }: ComparedRun): number | null => run.test?.accuracy ?? null;
const validationAccuracy = ({ run }: ComparedRun): number | null => bestOf(run)?.accuracy ?? null;
const validationLoss = ({ run }: ComparedRun): number | null => run.epochs.at(-1)?.validation?.loss ?? null;

/** Table of the main results, with the best values marked if all runs used the same images. */
export function resultsTable(all: readonly ComparedRun[]): HTMLElement {
  return table(
    'Results of the runs',
    [
      { title: 'Run', cell: named },
      {
        title: 'Model',
        cell: ({ run }) => (run.config.model === 'mlp' ? `MLP, H\u00a0=\u00a0${hiddenUnits(run)}` : 'linear'),
      },
      ranked(all, 'Test accuracy', testAccuracy, format.percent),
      {
        title: '95\u00a0% interval',
        cell: ({ run }) => (run.test ? format.interval(run.test.interval) : format.percent(null)),
        numeric: true,
      },
      ...averagedColumns(all),
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

/** The accuracy over views and its interval, if a run has them. */
function averagedColumns(all: readonly ComparedRun[]): Column<ComparedRun>[] {
  const views = all.flatMap(({ run }) => run.test?.averaged?.views ?? []);
  if (views.length === 0) return [];
  const accuracy = ({ run }: ComparedRun) => run.test?.averaged?.accuracy ?? null;
  const interval = ({ run }: ComparedRun) => run.test?.averaged?.interval;
  return [
    ranked(all, `Averaged over ${views[0]} views`, accuracy, format.percent),
    {
      title: '95\u00a0% interval',
      cell: (one) => {
        const ends = interval(one);
        return ends ? format.interval(ends) : format.percent(null);
      },
      numeric: true,
    },
  ];
}

/** A column in which the best value is marked, if all runs used the same images. @param better picks the best value; by default the highest. */
function ranked(
  all: readonly ComparedRun[],
  title: string,
  value: (one: ComparedRun) => number | null,
  show: (value: number | null) => string,
  better: (...values: number[]) => number = Math.max,
): Column<ComparedRun> {
  const values = all.map(value).filter((n) => n !== null);
  const best = values.length > 1 && usedSameImages(all) ? better(...values) : null;
  const cell = (one: ComparedRun) => {
    const result = value(one);
    const isBest = result !== null && result === best;
    return isBest ? [h('span', { class: 'badge' }, 'best'), h('strong', {}, show(result))] : show(result);
  };
  return { title, cell, numeric: true };
}

function epochsOf({ state, epochs, plannedEpochs }: RunReport): string {
  const done = epochs.at(-1)?.epoch ?? 0;
  const note = state === 'finished' ? '' : ` (${state})`;
  return `${format.count(done)}${done < plannedEpochs ? ` of ${format.count(plannedEpochs)}` : ''}${note}`;
}

/** Returns a sentence on whether the two highest test accuracies differ by more than chance, if all runs used the same images. */
export function verdict(all: readonly ComparedRun[]): Child {
  const tested = all.flatMap((one) => (one.run.test ? [{ ...one, test: one.run.test }] : []));
  const [first, second] = tested.sort((a, b) => b.test.accuracy - a.test.accuracy);
  const note = 'Validation accuracy is from the best epoch, losses are from the last one.';
  if (!second || !usedSameImages(all)) return h('p', { class: 'caption' }, note);
  const lead = `${(100 * (first.test.accuracy - second.test.accuracy)).toFixed(2)} percentage points`;
  const overlaps = first.test.interval[0] <= second.test.interval[1];
  return h(
    'p',
    { class: 'caption' },
    `${first.letter} leads ${second.letter} by ${lead} on the test images. `,
    overlaps
      ? 'Their 95\u00a0% confidence intervals overlap, so their order may be due to chance: repeat both with other seeds ' +
          'before you choose.'
      : 'Their 95\u00a0% confidence intervals do not overlap, so other test images are unlikely to change their order.',
    ` ${note}`,
  );
}

/** Table of the test accuracy with classes in rows and runs in columns; null if no run has been tested. */
export function classTable(all: readonly ComparedRun[]): HTMLElement | null {
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
              { class: 'shaded', style: shares[i] === null ? undefined : shade(shares[i], CORRECT) },
              format.percent(shares[i], 1),
            ),
        })),
      ],
      rows,
    ),
    h(
      'figcaption',
      {},
      usedSameImages(all)
        ? 'If the lead of one run over another varies from class to class, the models differ in what they recognise, not only ' +
            'in how much. '
        : null,
      `Each value has a 95\u00a0% confidence interval of at most ±${(50 * widest).toFixed(1)} percentage points.`,
    ),
  );
}

function shareOf(perClass: TestReport['perClass'], name: string): number | null {
  const result = perClass.find((one) => one.name === name);
  return result && result.images > 0 ? result.correct / result.images : null;
}

/** Returns the names of the hyperparameters that are not the same in all runs. */
export function differences(runs: readonly RunReport[]): string[] {
  const keys = [...new Set(runs.flatMap(({ config }) => Object.keys(config)))];
  return keys.filter((key) => new Set(runs.map(({ config }) => config[key])).size > 1);
}

export function differenceTable(all: readonly ComparedRun[], differing: readonly string[]): HTMLElement {
  if (differing.length === 0) return h('p', {}, 'All runs have the same configuration.');
  const columns: Column<string>[] = [
    { title: 'Hyperparameter', cell: (key) => key },
    ...all.map(
      (one): Column<string> => ({
        title: named(one),
        cell: (key) =>
          h('span', { class: isCommon(key, one, all) ? undefined : 'unusual' }, format.setting(one.run.config[key])),
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
      'Only hyperparameters that differ are listed, and values not shared by most runs are marked. A dash means that the ' +
        'hyperparameter has no effect in that run.',
    ),
  );
}

/** Whether more than half of all runs have the same value as this one. */
function isCommon(key: string, { run }: ComparedRun, all: readonly ComparedRun[]): boolean {
  const same = all.filter((other) => other.run.config[key] === run.config[key]).length;
  return 2 * same > all.length;
}
