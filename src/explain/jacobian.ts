import { type Backend, sizeOf } from '../backends/backend.ts';
import type { Graph } from '../engine/graph.ts';
import type { Wire } from '../engine/wire.ts';
import { entriesBefore } from './explanation.ts';
import { shownShape } from './expression/values.ts';

/** All derivatives of some outputs by the parameters that they depend on: one row for each element of an output, one column
 *  for each element of a parameter. */
export interface Jacobian {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly values: readonly (readonly number[])[];
}

/** Beyond this size nobody reads one. */
const [MOST_ROWS, MOST_COLUMNS] = [8, 12];

/** Row by row, each from a backward pass that begins with a one in one place: undefined unless there are a few rows and
 *  columns, and the outputs are scalars or vectors. */
export async function jacobian<B extends Backend>(
  graph: Graph<B>,
  outputs: readonly Wire[],
): Promise<Jacobian | undefined> {
  const leaves = outputs.map((output) => {
    const inputs = entriesBefore(graph, output).flatMap((entry) => Object.values(entry.inputs));
    return new Set(inputs.filter((wire) => wire.isParameter));
  });
  const parameters = graph.parameters.filter((parameter) => leaves.some((some) => some.has(parameter)));
  const [rows, columns] = [outputs, parameters].map((wires) => wires.flatMap(elementNames));
  const isWide = outputs.some(({ shape }) => shownShape(shape).length > 1);
  if (isWide || rows.length < 2 || rows.length > MOST_ROWS || columns.length > MOST_COLUMNS) return undefined;

  const values: number[][] = [];
  for (const [i, output] of outputs.entries()) {
    for (let element = 0; element < sizeOf(output.shape); element++) {
      const upstream = new Float64Array(sizeOf(output.shape));
      upstream[element] = 1;
      graph.backward(output, new Map(), upstream);
      const row: number[] = [];
      for (const parameter of parameters) {
        const none = new Float64Array(sizeOf(parameter.shape));
        row.push(...(leaves[i].has(parameter) ? await graph.backend.read(parameter.gradient) : none));
      }
      values.push(row);
    }
  }
  return { rows, columns, values };
}

/** The name of a scalar, or of each element of a vector or matrix: x[0], W[0][1]. */
function elementNames({ name, shape }: Wire): string[] {
  return shownShape(shape).reduce(
    (names, length) => names.flatMap((prefix) => Array.from({ length }, (_, i) => `${prefix}[${i}]`)),
    [name],
  );
}
