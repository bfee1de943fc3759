import type { EpochMetrics } from '../../training/progress.ts';
import * as format from '../terminal/format.ts';

interface EpochColumn {
  readonly header: string;
  /** Header to use if the column before it is left out. */
  readonly loneHeader?: string;
  readonly width: number;
  /** Columns of low priority are left out first. */
  readonly priority: number;
  text(metrics: EpochMetrics, epochs: number): string;
}

const NONE = '–';
const GAP = '  ';

const COLUMNS: readonly EpochColumn[] = [
  { header: 'epoch', width: 7, priority: 8, text: ({ epoch }, epochs) => `${epoch}/${epochs}` },
  { header: 'train loss', width: 10, priority: 7, text: ({ train }) => format.loss(train.loss) },
  { header: 'acc', width: 8, priority: 5, text: ({ train }) => format.percent(train.accuracy) },
  {
    header: 'val loss',
    width: 8,
    priority: 4,
    text: ({ validation }) => (validation ? format.loss(validation.loss) : NONE),
  },
  {
    header: 'acc',
    loneHeader: 'val acc',
    width: 8,
    priority: 6,
    text: ({ validation }) => (validation ? format.percent(validation.accuracy) : NONE),
  },
  { header: 'lr', width: 8, priority: 1, text: ({ learningRate }) => format.small(learningRate) },
  {
    header: 'images/s',
    width: 8,
    priority: 2,
    text: ({ imagesPerSecond }) => format.integer(imagesPerSecond),
  },
  { header: 'seconds', width: 7, priority: 3, text: ({ seconds }) => seconds.toFixed(seconds < 10 ? 2 : 1) },
];

/** The table of epochs, line by line. A narrow terminal gets fewer columns. */
export class EpochTable {
  readonly #columns: readonly EpochColumn[];

  /** @param width of the terminal; without it, all columns are shown. */
  constructor(width = Infinity) {
    const byPriority = COLUMNS.toSorted((a, b) => b.priority - a.priority);
    let room = width + GAP.length;
    const fitting = byPriority.filter((column) => (room -= column.width + GAP.length) >= 0);
    this.#columns = COLUMNS.filter((column) => fitting.includes(column));
  }

  get header(): string {
    return this.#line((column) => {
      const before = COLUMNS[COLUMNS.indexOf(column) - 1];
      return this.#columns.includes(before) ? column.header : (column.loneHeader ?? column.header);
    });
  }

  row(metrics: EpochMetrics, epochs: number): string {
    return this.#line((column) => column.text(metrics, epochs));
  }

  #line(textOf: (column: EpochColumn) => string): string {
    return this.#columns.map((column) => textOf(column).padStart(column.width)).join(GAP);
  }
}
