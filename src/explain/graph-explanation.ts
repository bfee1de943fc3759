import { type Backend, sizeOf } from '../backends/backend.ts';
import type { Graph } from '../engine/graph.ts';
import type { Wire } from '../engine/wire.ts';
import { UsageError } from '../errors.ts';
import { type Explanation, explainOutput } from './explanation.ts';
import { describeShape, type Values, valuesOf } from './expression/values.ts';
import { computeJacobian, type Jacobian } from './jacobian.ts';

/** A graph after a forward pass, and the wires to differentiate. */
export interface EvaluatedGraph<B extends Backend = Backend> {
  readonly graph: Graph<B>;
  readonly outputs: readonly Wire[];
}

/** Explanation of every output of a graph. */
export interface GraphExplanation {
  /** One for each output, as each is differentiated on its own. */
  readonly explanations: readonly Explanation[];
  readonly jacobian: Jacobian | undefined;
}

/** @param upstream initial gradients of the backward pass, by output. Default: ones. */
export async function explainGraph<B extends Backend>(
  { graph, outputs }: EvaluatedGraph<B>,
  upstream: ReadonlyMap<Wire, Values> = new Map(),
): Promise<GraphExplanation> {
  const explanations: Explanation[] = [];
  for (const output of outputs) explanations.push(await explainOutput(graph, output, upstream.get(output)?.values));
  return { explanations, jacobian: await computeJacobian(graph, outputs) };
}

/** Reads upstream gradients: the values for the only output, or an object with values by the name of an output.
 *  @param what their name in messages. @throws UsageError for an unknown output or a wrong shape. */
export function parseUpstream(given: unknown, outputs: readonly Wire[], what: string): Map<Wire, Values> {
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given);
  const names = outputs.map(({ name }) => name).join(', ');
  if (!isObject && outputs.length > 1) {
    throw new UsageError(`${what} must name its output, as in {"${outputs[0].name}": …}; the outputs are ${names}`);
  }
  const upstream = new Map<Wire, Values>();
  for (const [name, value] of Object.entries(isObject ? given : { [names]: given })) {
    const output = outputs.find((output) => output.name === name);
    if (!output) throw new UsageError(`${what} names ${name}, which is not an output; the outputs are ${names}`);
    const values = valuesOf(value, what);
    const isColumn = output.shape.length === 1 && values.shape[1] === 1;
    const expected = isColumn ? [output.shape[0], 1] : output.shape;
    if (sizeOf(values.shape) !== sizeOf(expected) || values.shape[0] !== expected[0]) {
      throw new UsageError(
        `${what} must be ${describeShape(output.shape)}, like ${name}, got ${describeShape(values.shape)}`,
      );
    }
    upstream.set(output, { shape: output.shape, values: values.values });
  }
  return upstream;
}
