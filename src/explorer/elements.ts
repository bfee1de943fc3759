import type { Shape } from '../backends/backend.ts';
import { shownShape, type Values } from '../explain/expression/values.ts';

/** x, x[0] or W[0][1] */
export function elementName(name: string, shape: Shape, index: number): string {
  const [, columns] = shownShape(shape);
  if (shape.length === 0) return name;
  return columns === undefined ? `${name}[${index}]` : `${name}[${Math.floor(index / columns)}][${index % columns}]`;
}

/** A copy of a tensor with another number at a place. */
export function replaced({ shape, values }: Values, index: number, value: number): Values {
  const copy = Array.from(values);
  copy[index] = value;
  return { shape, values: copy };
}
