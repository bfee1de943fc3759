import { type ChartSize, figure, finite, type Line, lineChart, lossTick, percentTick, rangeOf } from '../chart.ts';
import { type Child, table } from '../dom.ts';
import * as format from '../format.ts';
import { badge, type ComparedRun } from './compared-run.ts';

type Quantity = 'loss' | 'accuracy';
type RunLine = Line & ComparedRun;

const CAPTIONS = {
  loss: 'Lower is better. Compare only losses of the same kind: cross-entropy with cross-entropy, hinge with hinge.',
  accuracy: 'Higher is better. With few validation images, a small difference between two lines may be noise.',
} as const;

/** Chart of the validation loss or accuracy of all shown runs. */
export function validationChart(shown: readonly ComparedRun[], id: Quantity, size: ChartSize): HTMLElement {
  const show = id === 'loss' ? format.loss : format.percent;
  const lines = shown.map((one) => lineOf(one, id, size));
  const epochs = [...new Set(lines.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const svg = lineChart(
    lines,
    {
      domainX: [0, epochs.at(-1) ?? 1],
      domainY: rangeOf(lines.flatMap(({ points }) => points.map(({ y }) => y))),
      tickY: id === 'loss' ? lossTick : percentTick,
      tips: epochs.map((epoch) => tipOf(lines, epoch, show)),
    },
    size,
  );
  return figure(
    `validation-${id}`,
    `Validation ${id}`,
    [CAPTIONS[id], missing(lines)],
    lines.map(({ letter, points }) => `${letter} ends at ${show(points.at(-1)?.y)}.`).join(' ') || 'No run is shown.',
    svg,
    table(
      `Validation ${id} by epoch`,
      [
        { title: 'Epoch', cell: (epoch: number) => format.count(epoch), numeric: true },
        ...lines.map((line) => ({ title: badge(line), cell: (epoch: number) => show(at(line, epoch)), numeric: true })),
      ],
      epochs,
    ),
  );
}

function lineOf(one: ComparedRun, id: Quantity, size: ChartSize): RunLine {
  const points = one.run.epochs.flatMap(({ epoch, validation }) =>
    validation ? [{ x: epoch, y: validation[id] }] : [],
  );
  return { ...one, name: label(one, size), points: finite(points), dots: true };
}

/** Letter of a run and as much of its name as fits next to the end of a line. */
function label({ letter, name }: ComparedRun, { width }: ChartSize): string {
  if (width < 480) return letter;
  return `${letter} ${name.length > 18 ? `${name.slice(0, 17)}…` : name}`;
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
