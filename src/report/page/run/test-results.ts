import * as Plot from '@observablehq/plot';
import type { TestReport } from '../../report-data.ts';
import { type ChartSize, figure, percentTick } from '../chart.ts';
import { h, scrollable, table } from '../dom.ts';
import * as format from '../format.ts';
import { CORRECT, INCORRECT, shade } from '../shade.ts';

type ClassResult = TestReport['perClass'][number];

/** The confusion matrix as a table with shaded cells. */
export function confusionMatrix({ confusion, perClass }: TestReport): HTMLElement {
  const names = perClass.map(({ name }) => name);
  const head = h(
    'tr',
    {},
    h('th', { scope: 'col', class: 'corner' }, 'true class'),
    names.map((name) => h('th', { scope: 'col' }, h('span', {}, name))),
  );
  const rows = confusion.map((row, truth) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, names[truth]),
      row.map((images, predicted) => cell(images, row, { truth, predicted }, names)),
    ),
  );
  const title = 'Confusion matrix';
  return h(
    'figure',
    { id: 'confusion' },
    h('h3', {}, title),
    scrollable(
      title,
      h(
        'table',
        { class: 'confusion' },
        h('caption', { class: 'hidden' }, 'Test images by true class (rows) and predicted class (columns)'),
        h('thead', {}, head),
        h('tbody', {}, rows),
      ),
    ),
    h(
      'figcaption',
      {},
      'Rows: true class; columns: predicted class. Blue is correct, orange incorrect; the stronger the colour, the larger ' +
        `the share of the row. ${worstConfusions(confusion, names)}`,
    ),
  );
}

function cell(
  images: number,
  row: readonly number[],
  { truth, predicted }: { readonly truth: number; readonly predicted: number },
  names: readonly string[],
): HTMLElement {
  const total = row.reduce((sum, n) => sum + n, 0);
  const share = total > 0 ? images / total : 0;
  const prediction = `${names[truth]} predicted as ${names[predicted]}`;
  // The square root makes 5 % and 10 % easier to tell apart.
  const style = shade(Math.sqrt(share), truth === predicted ? CORRECT : INCORRECT);
  return h(
    'td',
    { style, title: `${prediction}: ${format.count(images)} of ${format.count(total)} (${format.percent(share, 1)})` },
    format.count(images),
  );
}

function worstConfusions(confusion: TestReport['confusion'], names: readonly string[]): string {
  const pairs = confusion.flatMap((row, truth) =>
    row.map((images, predicted) => ({ images, truth, predicted })).filter((pair) => pair.truth !== pair.predicted),
  );
  const worst = pairs.sort((a, b) => b.images - a.images).slice(0, 3);
  const list = worst
    .filter(({ images }) => images > 0)
    .map(({ images, truth, predicted }) => `${names[truth]} as ${names[predicted]} (${format.count(images)})`);
  return list.length > 0 ? `The most frequent mistakes are ${list.join(', ')}.` : '';
}

/** Bar chart of the accuracy of each class with its confidence interval, best class first. */
export function classAccuracies(test: TestReport, size: ChartSize): HTMLElement {
  const sorted = [...test.perClass].sort((a, b) => shareOf(b) - shareOf(a));
  const [best, worst] = [sorted[0], sorted.at(-1)!];
  return figure(
    'classes',
    'Accuracy by class',
    'The share of the images of each class that is predicted correctly, with a line for its 95\u00a0% confidence interval. If ' +
      'the intervals of two classes overlap, their order may be due to chance. Dotted line: all classes together.',
    `From ${best.name}, ${format.percent(shareOf(best), 1)}, down to ${worst.name}, ${format.percent(shareOf(worst), 1)}.`,
    classBars(sorted, test.accuracy, size),
    classTable(sorted),
  );
}

function classBars(classes: readonly ClassResult[], accuracy: number, { width }: ChartSize): Element {
  const longest = Math.max(...classes.map(({ name }) => name.length));
  // By index, as two classes might have the same name.
  const y = (result: ClassResult) => classes.indexOf(result);
  return Plot.plot({
    width,
    height: 34 + 30 * classes.length,
    marginTop: 4,
    marginBottom: 30,
    marginLeft: Math.min(width / 3, 14 + 6.6 * longest),
    marginRight: 50,
    style: { fontSize: '12px' },
    x: { domain: [0, 1] },
    y: { domain: classes.map(y), padding: 0.3 },
    marks: [
      Plot.gridX({ ticks: 5, strokeOpacity: 0.12 }),
      Plot.axisX({ ticks: 5, tickFormat: percentTick, tickSize: 0, label: null }),
      Plot.axisY({ tickFormat: (i: number) => classes[i].name, tickSize: 0, label: null }),
      Plot.barX(classes, { x: shareOf, y, fill: 'var(--bar)' }),
      Plot.ruleX([accuracy], { stroke: 'currentColor', strokeDasharray: '2 3', strokeOpacity: 0.6 }),
      Plot.link(classes, { x1: lowOf, x2: highOf, y1: y, y2: y, stroke: 'currentColor', strokeWidth: 1.5 }),
      Plot.text(classes, {
        x: highOf,
        y,
        text: (result: ClassResult) => format.percent(shareOf(result), 1),
        textAnchor: 'start',
        dx: 6,
        fill: 'currentColor',
        stroke: 'var(--page)',
        strokeWidth: 3,
      }),
    ],
  });
}

const shareOf = ({ images, correct }: ClassResult): number => (images > 0 ? correct / images : 0);
const lowOf = ({ interval }: ClassResult): number => interval[0];
const highOf = ({ interval }: ClassResult): number => interval[1];

function classTable(perClass: readonly ClassResult[]): HTMLElement {
  return table(
    'Accuracy by class',
    [
      { title: 'Class', cell: ({ name }) => name },
      { title: 'Images', cell: ({ images }) => format.count(images), numeric: true },
      { title: 'Correct', cell: ({ correct }) => format.count(correct), numeric: true },
      { title: 'Accuracy', cell: (result) => format.percent(shareOf(result), 1), numeric: true },
      { title: '95\u00a0% interval', cell: ({ interval }) => format.interval(interval), numeric: true },
    ],
    perClass,
  );
}
