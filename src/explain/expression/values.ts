import type { Shape } from '../../backends/backend.ts';
import { UsageError } from '../../errors.ts';

/** Tensor in row-major order. A vector of n is a column, [n, 1]. */
export interface Values {
  readonly shape: Shape;
  readonly values: ArrayLike<number>;
}

/** Tensor in JSON: a scalar, a vector, or a matrix row by row. */
export type Nested = number | readonly Nested[];

/** Parses `name=value` words. @throws UsageError for a malformed word or value, or a name given twice. */
export function parseAssignments(words: readonly string[]): Map<string, Values> {
  const values = new Map<string, Values>();
  for (const word of words) {
    const [, name, text] = word.match(/^\s*([\p{L}_][\p{L}\p{N}_]*)\s*=(.*)$/su) ?? [];
    if (name === undefined) {
      throw new UsageError(
        `expected name=value after the expression, got '${word}'; put an expression that contains spaces in quotes`,
      );
    }
    if (values.has(name)) throw new UsageError(`${name} is given twice; remove one of the two`);
    values.set(name, parseValue(text, name));
  }
  return values;
}

/** Parses a number or JSON. @throws UsageError */
function parseValue(text: string, what: string): Values {
  return valuesOf(parseJson(text, what), what);
}

/** @throws UsageError if the text is neither a number nor JSON. */
export function parseJson(text: string, what: string): unknown {
  if (/^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(text)) return Number(text);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(
      `${what} must be a number or a JSON array such as [1, 2] or [[1, 2], [3, 4]], got '${text}' (${(error as Error).message})`,
    );
  }
}

/** Converts a number, a vector or a matrix. @throws UsageError for anything else, including ragged and empty arrays. */
export function valuesOf(nested: unknown, what: string): Values {
  if (!Array.isArray(nested)) return { shape: [], values: [numberOf(nested, what)] };
  if (nested.length === 0) throw new UsageError(`${what} is an empty array; give at least one number`);
  if (!nested.some(Array.isArray)) {
    return { shape: [nested.length, 1], values: nested.map((value, i) => numberOf(value, `${what}[${i}]`)) };
  }
  const rows = nested.map((row, i) => {
    if (!Array.isArray(row)) throw new UsageError(`${what}[${i}] must be a row of numbers like the others, got ${row}`);
    return row.map((value, j) => numberOf(value, `${what}[${i}][${j}]`));
  });
  const columns = rows[0].length;
  const uneven = rows.findIndex(({ length }) => length !== columns);
  if (uneven >= 0) {
    throw new UsageError(
      `the rows of ${what} differ in length: row 0 has ${columns} numbers, row ${uneven} has ${rows[uneven].length}`,
    );
  }
  if (columns === 0) throw new UsageError(`the rows of ${what} are empty; give at least one number`);
  return { shape: [rows.length, columns], values: rows.flat() };
}

function numberOf(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new UsageError(`${what} must be a finite number, got ${JSON.stringify(value)}`);
}

/** Returns the shape to show: [n] for a column. */
export function shownShape(shape: Shape): Shape {
  return shape.length === 2 && shape[1] === 1 ? [shape[0]] : shape;
}

export function describeShape(shape: Shape): string {
  const shown = shownShape(shape);
  if (shown.length === 0) return 'a scalar';
  return shown.length === 1 ? `a vector of ${shown[0]}` : `a matrix [${shown.join(', ')}]`;
}

/** Converts a tensor to JSON: a scalar, a vector, or a matrix row by row. */
export function nested({ shape, values }: Values): Nested {
  const [rows, columns] = shownShape(shape);
  if (rows === undefined) return values[0];
  if (columns === undefined) return Array.from(values);
  return Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => values[i * columns + j]));
}
