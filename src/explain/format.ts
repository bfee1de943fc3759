import { sizeOf } from '../backends/backend.ts';
import { shownShape, type Values } from './expression/values.ts';

/** Level of detail at which a tensor is shown. */
export interface Detail {
  /** Significant digits of a non-integer. */
  readonly digits: number;
  /** Size of the largest matrix that is shown in full. A vector has one row per element. */
  readonly rows: number;
  readonly columns: number;
  /** Blanks between the columns of a matrix. */
  readonly gap: number;
  /** Whether a summary uses more lines to be narrower. */
  readonly isNarrow?: true;
}

/** Formats an integer in full, any other number with the given significant digits. */
export function numberText(value: number, digits: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || (Number.isInteger(value) && size < 1e7)) return String(value);
  if (size >= 1e7 || size < 1e-4) return value.toExponential(digits - 1);
  return size >= 10 ** digits ? value.toFixed(0) : String(Number(value.toPrecision(digits)));
}

/** Formats a tensor as lines of equal width: one for a scalar, a column for a vector, rows for a matrix. A larger
 *  tensor is summarised by its shape, the mean of |value| and its first elements. */
export function linesOf(values: Values, detail: Detail): string[] {
  if (isAbbreviated(values, detail)) return summaryOf(values, detail);
  const [rows = 1, columns = 1] = shownShape(values.shape);
  const texts = Array.from(values.values, (value) => numberText(value, detail.digits));
  const lines = Array.from({ length: rows }, (_, i) => texts.slice(i * columns, (i + 1) * columns));
  const widths = Array.from({ length: columns }, (_, j) => Math.max(...lines.map((line) => line[j].length)));
  return lines.map((line) => line.map((text, j) => text.padStart(widths[j])).join(' '.repeat(detail.gap)));
}

function summaryOf({ shape, values }: Values, { isNarrow }: Detail): string[] {
  const [mean, first, second] = [meanAbsolute(values), ...Array.from({ length: 2 }, (_, i) => values[i])].map((value) =>
    numberText(value, isNarrow ? 2 : 3),
  );
  const name = `[${shownShape(shape).join(', ')}]`;
  return isNarrow ? [name, 'mean |·|', mean, `${first} …`] : [name, `mean |·| ${mean}`, `${first}  ${second} …`];
}

/** Whether `linesOf` summarises a tensor of this shape. */
export function isAbbreviated({ shape }: Values, detail: Detail): boolean {
  const [rows = 1, columns = 1, ...others] = shownShape(shape);
  return rows > detail.rows || columns > detail.columns || others.length > 0;
}

export function meanAbsolute(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.abs(values[i]);
  return sum / values.length;
}

export function isScalar({ shape }: Values): boolean {
  return sizeOf(shape) === 1;
}
