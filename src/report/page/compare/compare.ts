import type { RunReport } from '../../report-data.ts';
import type { Space } from '../chart.ts';
import { type Child, h, section } from '../dom.ts';
import * as format from '../format.ts';
import type { Page } from '../run.ts';
import { validationChart } from './charts.ts';
import { badge, type Contestant, contestants } from './contestant.ts';
import { classTable, differences, differenceTable, resultsTable, verdict } from './tables.ts';

/** Several runs side by side.
 *  @param hidden numbers of the runs that are left out of the charts. @param space that a chart has. */
export function comparisonPage(runs: readonly RunReport[], hidden: ReadonlySet<number>, space: Space): Page {
  const all = contestants(runs, hidden);
  const shown = all.filter((one) => one.shown);
  const differing = differences(runs);
  const classes = classTable(all);
  return {
    title: `${format.plural(runs.length, 'run')} compared`,
    header: [
      h('p', { class: 'eyebrow' }, 'nn-train'),
      h('h1', {}, `${format.plural(runs.length, 'run')} compared`),
      notices(runs),
    ],
    sections: [
      section('results', 'Results', resultsTable(all), verdict(all)),
      section(
        'charts',
        'Curves',
        picker(all, differing),
        h('div', { class: 'charts' }, validationChart(shown, 'loss', space), validationChart(shown, 'accuracy', space)),
      ),
      ...(classes ? [section('classes', 'Test accuracy by class', classes)] : []),
      section('differences', 'Configuration', differenceTable(all, differing)),
    ],
  };
}

/** What keeps the numbers from being compared. */
function notices(runs: readonly RunReport[]): Child {
  const synthetic = runs.filter(({ dataset }) => dataset.name === 'synthetic').length;
  const isMixed = new Set(runs.map(({ dataset }) => dataset.sha256)).size > 1;
  const texts = [
    isMixed ? ['These runs used different data.', 'Their accuracies cannot be compared.'] : null,
    synthetic > 0
      ? [
          synthetic === runs.length
            ? 'This is not CIFAR-10.'
            : `${format.plural(synthetic, 'run')} of these did not use CIFAR-10.`,
          'Accuracies on generated stand-in images (dataset synthetic) say nothing about real ones.',
        ]
      : null,
  ].filter((text) => text !== null);
  return texts.map(([strong, text]) =>
    h('div', { class: 'notice alarm' }, h('p', {}, h('strong', {}, strong), ` ${text}`)),
  );
}

/** Checkboxes that are the legend at the same time. */
function picker(all: readonly Contestant[], differing: readonly string[]): HTMLElement {
  return h(
    'fieldset',
    { class: 'picker' },
    h('legend', {}, 'Runs in the charts'),
    all.map((one) =>
      h(
        'label',
        { class: 'run' },
        h('input', {
          type: 'checkbox',
          name: 'run',
          value: one.number,
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
