import { type ChartSize, figure, finite, type Line, lineChart, lossTick, percentTick, rangeOf } from '../chart.ts';
import { type Child, h, table } from '../dom.ts';
import * as format from '../format.ts';
import { badge, type ComparedRun, type Images } from './configurations.ts';
import { LOSS_NAMES, lossesOf } from './results.ts';

type RunLine = Line & ComparedRun;

interface Quantity {
  readonly id: string;
  readonly key: 'loss' | 'accuracy';
  readonly title: string;
  readonly caption: string;
}

/** Charts of the runs on the same images: their validation accuracy, and their validation loss by its kind.
 *  @param suffix of the ids. */
export function imageCharts({ configurations }: Images, suffix: string, size: ChartSize): HTMLElement {
  const losses = lossesOf(configurations);
  const runs = configurations.flatMap((one) => one.runs).filter(({ shown }) => shown);
  const accuracy: Quantity = {
    id: `validation-accuracy${suffix}`,
    key: 'accuracy',
    title: 'Validation accuracy',
    caption: 'Higher is better. With few validation images, a small difference between two lines may be noise.',
  };
  return h(
    'div',
    { class: 'charts' },
    validationChart(runs, accuracy, size),
    losses.map((loss) =>
      validationChart(
        runs.filter(({ run }) => String(run.config.loss) === loss),
        {
          id: `validation-loss${losses.length > 1 ? `-${loss}` : ''}${suffix}`,
          key: 'loss',
          title: `Validation loss (${LOSS_NAMES[loss] ?? loss})`,
          caption: 'Lower is better.',
        },
        size,
      ),
    ),
  );
}

function validationChart(runs: readonly ComparedRun[], quantity: Quantity, size: ChartSize): HTMLElement {
  const { id, key, title, caption } = quantity;
  const show = key === 'loss' ? format.loss : format.percent;
  const lines = runs.map((one) => lineOf(one, key, size));
  const epochs = [...new Set(lines.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const svg = lineChart(
    lines,
    {
      domainX: [0, epochs.at(-1) ?? 1],
      domainY: rangeOf(lines.flatMap(({ points }) => points.map(({ y }) => y))),
      tickY: key === 'loss' ? lossTick : percentTick,
      tips: epochs.map((epoch) => tipOf(lines, epoch, show)),
    },
    size,
  );
  return figure(
    id,
    title,
    [caption, missing(lines)],
    lines.map(({ letter, points }) => `${letter} ends at ${show(points.at(-1)?.y)}.`).join(' ') || 'No run is shown.',
    svg,
    table(
      `${title} by epoch`,
      [
        { title: 'Epoch', cell: (epoch: number) => format.count(epoch), numeric: true },
        ...lines.map((line) => ({ title: badge(line), cell: (epoch: number) => show(at(line, epoch)), numeric: true })),
      ],
      epochs,
    ),
  );
}

function lineOf(one: ComparedRun, key: Quantity['key'], size: ChartSize): RunLine {
  const points = one.run.epochs.flatMap(({ epoch, validation }) =>
    validation ? [{ x: epoch, y: validation[key] }] : [],
  );
  return { ...one, name: endOf(one, size), points: finite(points), dots: true };
}

/** Letter of a run and as much of its label as fits next to the end of a line. */
function endOf({ letter, label }: ComparedRun, { width }: ChartSize): string {
  if (width < 480) return letter;
  return `${letter} ${label.length > 22 ? `${label.slice(0, 21)}…` : label}`;
}

const at = ({ points }: RunLine, epoch: number): number | undefined => points.find(({ x }) => x === epoch)?.y;

/** Tooltip with the values of all lines that have a value in this epoch. */
function tipOf(lines: readonly RunLine[], epoch: number, show: (value: number | undefined) => string) {
  const present = lines.filter((line) => at(line, epoch) !== undefined);
  const values = present.map((line) => `${line.letter} ${show(at(line, epoch))}`);
  return { x: epoch, y: at(present[0], epoch)!, text: [`epoch ${epoch}`, ...values].join('\n') };
}

function missing(lines: readonly RunLine[]): Child {
  const letters = lines.filter(({ points }) => points.length === 0).map(({ letter }) => letter);
  return letters.length > 0 ? ` Runs without validation images: ${letters.join(', ')}.` : null;
}
