import type { RunReport } from '../../report-data.ts';
import type { ChartSize } from '../chart.ts';
import { type Child, h, section } from '../dom.ts';
import * as format from '../format.ts';
import type { Page } from '../header.ts';
import { validationChart } from './charts.ts';
import { badge, type ComparedRun, comparedRuns, usedSameImages } from './compared-run.ts';
import { classTable, differences, differenceTable, resultsTable, verdict } from './tables.ts';

/** The page that compares several runs.
 *  @param hidden indices of the runs hidden from the charts. @param size of each chart. */
export function comparisonPage(runs: readonly RunReport[], hidden: ReadonlySet<number>, size: ChartSize): Page {
  const all = comparedRuns(runs, hidden);
  const shown = all.filter((one) => one.shown);
  const differing = differences(runs);
  const classes = classTable(all);
  return {
    title: `Comparison of ${format.plural(runs.length, 'run')}`,
    header: [
      h('p', { class: 'eyebrow' }, 'nn-train'),
      h('h1', {}, `Comparison of ${format.plural(runs.length, 'run')}`),
      notices(all),
    ],
    sections: [
      section('results', 'Results', resultsTable(all), verdict(all)),
      section(
        'charts',
        'Curves',
        picker(all, differing),
        h('div', { class: 'charts' }, validationChart(shown, 'loss', size), validationChart(shown, 'accuracy', size)),
      ),
      ...(classes ? [section('classes', 'Test accuracy by class', classes)] : []),
      section('differences', 'Configuration', differenceTable(all, differing)),
    ],
  };
}

/** Warnings about runs whose results cannot be compared. */
function notices(all: readonly ComparedRun[]): Child {
  const synthetic = all.filter(({ run }) => run.dataset.name === 'synthetic').length;
  const texts = [
    usedSameImages(all) ? null : ['These runs used different datasets.', 'Their accuracies cannot be compared.'],
    synthetic > 0
      ? [
          synthetic === all.length
            ? 'This is not CIFAR-10.'
            : `${format.count(synthetic)} of these runs did not use CIFAR-10.`,
          'Accuracies on generated stand-in images (dataset synthetic) say nothing about real images.',
        ]
      : null,
  ].filter((text) => text !== null);
  return texts.map(([strong, text]) =>
    h('div', { class: 'notice alarm' }, h('p', {}, h('strong', {}, strong), ` ${text}`)),
  );
}

/** Checkboxes that select the runs in the charts and serve as their legend. */
function picker(all: readonly ComparedRun[], differing: readonly string[]): HTMLElement {
  return h(
    'fieldset',
    { class: 'picker' },
    h('legend', {}, 'Runs shown in the charts'),
    all.map((one) =>
      h(
        'label',
        { class: 'run' },
        h('input', {
          type: 'checkbox',
          name: 'run',
          value: one.index,
          checked: one.shown,
          style: `accent-color:${one.colour}`,
        }),
        badge(one),
        h('span', { class: 'name' }, one.name),
        h(
          'span',
          { class: 'detail' },
          differing
            .filter((key) => one.run.config[key] !== undefined)
            .slice(0, 4)
            .map((key) => `${key} ${format.setting(one.run.config[key])}`)
            .join(', '),
        ),
      ),
    ),
  );
}
