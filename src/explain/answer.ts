import { type Backend, sizeOf } from '../backends/backend.ts';
import type { Graph } from '../engine/graph.ts';
import type { Wire } from '../engine/wire.ts';
import { UsageError } from '../errors.ts';
import { type Explanation, explain } from './explanation.ts';
import { describeShape, type Values, valuesOf } from './expression/values.ts';
import { type Jacobian, jacobian } from './jacobian.ts';

/** A graph that has been run forward, and the wires whose gradients are asked for. */
export interface Subject<B extends Backend = Backend> {
  readonly graph: Graph<B>;
  readonly outputs: readonly Wire[];
}

/** What is to be known of a subject. */
export interface Answer {
  /** One for each output: each is differentiated on its own. */
  readonly explanations: readonly Explanation[];
  readonly jacobian: Jacobian | undefined;
}

/** @param upstream the gradient to begin with, for outputs that are not to begin with ones. */
export async function explainSubject<B extends Backend>(
  { graph, outputs }: Subject<B>,
  upstream: ReadonlyMap<Wire, Values> = new Map(),
): Promise<Answer> {
  const explanations: Explanation[] = [];
  for (const output of outputs) explanations.push(await explain(graph, output, upstream.get(output)?.values));
  return { explanations, jacobian: await jacobian(graph, outputs) };
}

/** Reads upstream gradients: the numbers of the only output, or an object with those of some outputs by name.
 *  @param what names them in messages. @throws UsageError for an unknown output, or a shape that is not the output's. */
export function upstreamOf(given: unknown, outputs: readonly Wire[], what: string): Map<Wire, Values> {
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given);
  const names = outputs.map(({ name }) => name).join(', ');
  if (!isObject && outputs.length > 1) {
    throw new UsageError(
      `${what} must say which output it is for, as in {"${outputs[0].name}": …}: the outputs are ${names}`,
    );
  }
  const upstream = new Map<Wire, Values>();
  for (const [name, value] of Object.entries(isObject ? given : { [names]: given })) {
    const output = outputs.find((output) => output.name === name);
    if (!output) throw new UsageError(`${what} is for ${name}, which is no output; the outputs are ${names}`);
    const values = valuesOf(value, what);
    const isColumn = output.shape.length === 1 && values.shape[1] === 1;
    const wanted = isColumn ? [output.shape[0], 1] : output.shape;
    if (sizeOf(values.shape) !== sizeOf(wanted) || values.shape[0] !== wanted[0]) {
      throw new UsageError(
        `${what} is ${describeShape(values.shape)}, wanted ${describeShape(output.shape)}, as ${name} is`,
      );
    }
    upstream.set(output, { shape: output.shape, values: values.values });
  }
  return upstream;
}
