import { stripVTControlCharacters } from 'node:util';
import { wrap } from './format.ts';
import type { painter, Style } from './io.ts';

export interface Column {
  readonly header: string;
  readonly align: 'left' | 'right';
  readonly style?: Style;
}

/** Cells of a row; each cell is a list of lines. */
export type Row = readonly (readonly string[])[];

const GAP = '  ';

/** Lines of a table with a bold header. Rows of different heights are separated by empty lines.
 *  @param maxWidth if the table is wider, each row becomes a list of its cells, one below the other. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly Row[],
  paint: ReturnType<typeof painter>,
  maxWidth = Infinity,
): string[] {
  if (tableWidth(columns, rows) > maxWidth) return listLines(columns, rows, paint, maxWidth);
  const widths = widthsOf(columns, rows);
  const line = (texts: readonly string[], styleOf: (column: Column) => Style | undefined) =>
    columns
      .map((column, i) => {
        const text = texts[i] ?? '';
        const isLast = i === columns.length - 1;
        const padded = column.align === 'right' ? text.padStart(widths[i]) : isLast ? text : text.padEnd(widths[i]);
        const style = text.trim() === '' ? undefined : styleOf(column);
        return style ? paint(style, padded) : padded;
      })
      .join(GAP)
      .trimEnd();
  const bodies = rows.map((cells) =>
    Array.from({ length: heightOf(cells) }, (_, i) =>
      line(
        cells.map((lines) => lines[i] ?? ''),
        ({ style }) => style,
      ),
    ),
  );
  const isTall = new Set(rows.map(heightOf)).size > 1 && rows.some((cells) => heightOf(cells) > 2);
  const header = line(
    columns.map((column) => column.header),
    () => 'bold',
  );
  return [header, ...bodies.flatMap((body, i) => (isTall && i > 0 ? ['', ...body] : body))];
}

/** Rows as lists: the first cell, and below it the others beside the headers of their columns. */
function listLines(
  [first, ...others]: readonly Column[],
  rows: readonly Row[],
  paint: ReturnType<typeof painter>,
  width: number,
): string[] {
  const indent = Math.max(...others.map(({ header }) => header.length)) + 2 * GAP.length;
  const lists = rows.map(([name, ...cells]) => [
    ...name.flatMap((line) => wrap(`${first.header} ${line}`, width)).map((line) => paint('bold', line)),
    ...others.flatMap(({ header, style }, i) =>
      cells[i]
        .filter((line) => line.trim() !== '')
        .flatMap((line) => wrap(line.trim(), width - indent))
        .map((line, k) => (k === 0 ? `${GAP}${header}` : '').padEnd(indent) + (style ? paint(style, line) : line)),
    ),
  ]);
  return lists.flatMap((lines, i) => (i === 0 ? lines : ['', ...lines]));
}

/** Width of a table in terminal columns. */
export function tableWidth(columns: readonly Column[], rows: readonly Row[]): number {
  return widthsOf(columns, rows).reduce((total, width) => total + width + GAP.length, -GAP.length);
}

function widthsOf(columns: readonly Column[], rows: readonly Row[]): number[] {
  return columns.map(({ header }, i) =>
    // Colour codes have no width.
    Math.max(header.length, ...rows.flatMap((cells) => cells[i].map((line) => stripVTControlCharacters(line).length))),
  );
}

function heightOf(cells: Row): number {
  return Math.max(...cells.map(({ length }) => length));
}
