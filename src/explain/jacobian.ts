import { type Backend, sizeOf } from '../backends/backend.ts';
import type { Graph } from '../engine/graph.ts';
import type { Wire } from '../engine/wire.ts';
import { entriesBefore } from './explanation.ts';
import { shownShape } from './expression/values.ts';

/** Derivatives of the outputs with respect to the parameters that they depend on: one row for each element of an
 *  output, one column for each element of a parameter. */
export interface Jacobian {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly values: readonly (readonly number[])[];
}

/** A larger Jacobian is too large to read. */
const [MAX_ROWS, MAX_COLUMNS] = [8, 12];

/** Computes the Jacobian row by row, each with a backward pass from a one-hot upstream gradient. Returns undefined if
 *  it has a single row, is too large to read, or an output is a matrix. */
export async function computeJacobian<B extends Backend>(
  graph: Graph<B>,
  outputs: readonly Wire[],
): Promise<Jacobian | undefined> {
  const leaves = outputs.map((output) => {
    const inputs = entriesBefore(graph, output).flatMap((entry) => Object.values(entry.inputs));
    return new Set(inputs.filter((wire) => wire.isParameter));
  });
  const parameters = graph.parameters.filter((parameter) => leaves.some((set) => set.has(parameter)));
  const [height, width] = [outputs, parameters].map((wires) =>
    wires.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
  );
  const isWide = outputs.some(({ shape }) => shownShape(shape).length > 1);
  if (isWide || height < 2 || height > MAX_ROWS || width > MAX_COLUMNS) return undefined;

  const values: number[][] = [];
  for (const [i, output] of outputs.entries()) {
    for (let element = 0; element < sizeOf(output.shape); element++) {
      const upstream = new Float64Array(sizeOf(output.shape));
      upstream[element] = 1;
      graph.backward(output, new Map(), upstream);
      const row: number[] = [];
      for (const parameter of parameters) {
        const zeros = new Float64Array(sizeOf(parameter.shape));
        row.push(...(leaves[i].has(parameter) ? await graph.backend.read(parameter.gradient) : zeros));
      }
      values.push(row);
    }
  }
  return { rows: outputs.flatMap(elementNames), columns: parameters.flatMap(elementNames), values };
}

/** Returns the name of a scalar, or the names of the elements of a vector or matrix: x[0], W[0][1]. */
function elementNames({ name, shape }: Wire): string[] {
  return shownShape(shape).reduce(
    (names, length) => names.flatMap((prefix) => Array.from({ length }, (_, i) => `${prefix}[${i}]`)),
    [name],
  );
}
