import type { RunReport } from '../../report-data.ts';
import type { ChartSize } from '../chart.ts';
import { type Child, h, section } from '../dom.ts';
import * as format from '../format.ts';
import type { Page } from '../header.ts';
import { imageCharts } from './charts.ts';
import { badge, type ComparedRun, groupRuns, type Images } from './configurations.ts';
import { differenceTable } from './differences.ts';
import { differences } from './labels.ts';
import { classTable, resultsTable } from './results.ts';
import { verdict } from './verdict.ts';

/** The page that compares several runs, those on the same images with each other.
 *  @param hidden indices of the runs hidden from the charts. @param size of each chart. */
export function comparisonPage(runs: readonly RunReport[], hidden: ReadonlySet<number>, size: ChartSize): Page {
  const groups = groupRuns(runs, hidden);
  const configurations = groups.flatMap((group) => group.configurations);
  const suffix = (i: number) => (i === 0 ? '' : `-${i + 1}`);
  const on = ({ name }: Images) => (groups.length > 1 ? ` on ${name}` : '');
  const title = `Comparison of ${format.plural(runs.length, 'run')}`;
  const classes = groups.map(classTable);
  return {
    title,
    header: [h('p', { class: 'eyebrow' }, 'nn-train'), h('h1', {}, title), notices(groups)],
    sections: [
      ...groups.map((group, i) =>
        section(`results${suffix(i)}`, `Results${on(group)}`, resultsTable(group), verdict(group)),
      ),
      section(
        'charts',
        'Curves',
        picker(configurations.flatMap((one) => one.runs)),
        groups.map((group, i) => [
          groups.length > 1 ? h('h3', { class: 'images' }, `On ${group.name}`) : null,
          imageCharts(group, suffix(i), size),
        ]),
      ),
      ...classes.flatMap((content, i) =>
        content ? [section(`classes${suffix(i)}`, `Test accuracy by class${on(groups[i])}`, content)] : [],
      ),
      section(
        'differences',
        'Configuration',
        differenceTable(configurations, differences(configurations.map(({ config }) => config))),
      ),
    ],
  };
}

/** Warnings about runs whose results cannot be compared. */
function notices(groups: readonly Images[]): Child {
  const count = (list: readonly Images[]) =>
    list.reduce((sum, group) => sum + group.configurations.reduce((runs, one) => runs + one.runs.length, 0), 0);
  const synthetic = count(groups.filter(({ isSynthetic }) => isSynthetic));
  const texts = [
    groups.length > 1
      ? ['These runs used different images.', 'Only runs on the same images are compared with each other.']
      : null,
    synthetic > 0
      ? [
          synthetic === count(groups)
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
function picker(all: readonly ComparedRun[]): HTMLElement {
  return h(
    'fieldset',
    { class: 'picker' },
    h('legend', {}, 'Runs shown in the charts'),
    all.map((one) => {
      const folder = format.baseName(one.run.name);
      return h(
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
        folder === one.name ? null : h('span', { class: 'detail' }, folder),
      );
    }),
  );
}
