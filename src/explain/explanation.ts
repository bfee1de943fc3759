import { type Backend, sizeOf, type Tensor } from '../backends/backend.ts';
import type { TapeEntry } from '../engine/backward-path.ts';
import { store } from '../engine/gate.ts';
import type { Graph } from '../engine/graph.ts';
import type { Wire } from '../engine/wire.ts';
import type { Values } from './expression/values.ts';

/** Backpropagation from one output: every gate that it depends on, with the values of both passes. */
export interface Explanation {
  readonly output: ExplainedWire;
  /** Initial gradient of the backward pass. */
  readonly upstream: Values;
  /** Leaves, in the order in which the gates use them. */
  readonly leaves: readonly ExplainedWire[];
  /** Gates, in the order in which they were applied. */
  readonly gates: readonly ExplainedGate[];
}

export interface ExplainedWire {
  /** Unique in the graph, and the same in all of its explanations. */
  readonly id: string;
  readonly name: string;
  /** A parameter (or variable), an input (or constant), or the output of a gate. */
  readonly kind: 'parameter' | 'input' | 'gate';
  readonly value: Values;
  /** Sum over all gates that use the wire; undefined if no gradient flows. */
  readonly gradient: Values | undefined;
}

export interface ExplainedGate {
  readonly name: string;
  readonly inputs: readonly ExplainedInput[];
  readonly output: ExplainedWire;
}

export interface ExplainedInput {
  /** Name of the input in the gate. */
  readonly name: string;
  readonly wire: ExplainedWire;
  /** Derivative of the gate's output with respect to each element of the input; a formula in `upstream` if that would
   *  be a matrix; undefined if no gradient flows. */
  readonly local: Values | string | undefined;
  /** Upstream times local: the contribution of this gate to the gradient of the wire. */
  readonly gradient: Values | undefined;
}

/** Runs the backward pass from one wire and records every gate. Uses the values of the last forward pass, which must
 *  not have been in training mode.
 *
 *  @param output any wire that depends on a parameter. @param upstream initial gradient of the backward pass. Default:
 *  ones. */
export async function explainOutput<B extends Backend>(
  graph: Graph<B>,
  output: Wire,
  upstream: ArrayLike<number> = new Float64Array(sizeOf(output.shape)).fill(1),
): Promise<Explanation> {
  graph.backward(output, new Map(), upstream);
  const entries = entriesBefore(graph, output);
  const outputs = new Set(entries.map((entry) => entry.output));
  const ids = identify(graph);
  const wires = new Map<Wire, ExplainedWire>();
  for (const wire of new Set(entries.flatMap((entry) => [...Object.values(entry.inputs), entry.output]))) {
    const kind = outputs.has(wire) ? 'gate' : wire.isParameter ? 'parameter' : 'input';
    wires.set(wire, {
      id: ids.get(wire)!,
      name: wire.name,
      kind,
      value: await read(graph.backend, wire.tensor),
      gradient: wire.needsGradient ? await read(graph.backend, wire.gradient) : undefined,
    });
  }
  const gates: ExplainedGate[] = [];
  for (const entry of entries) gates.push(await explainGate(graph.backend, entry, wires));
  const leaves = [...wires.values()].filter(({ kind }) => kind !== 'gate');
  return { output: wires.get(output)!, upstream: { shape: output.shape, values: upstream }, leaves, gates };
}

/** Returns the part of the tape that a wire depends on. */
export function entriesBefore<B extends Backend>(graph: Graph<B>, output: Wire): TapeEntry<B>[] {
  const needed = new Set([output]);
  return graph.tape
    .toReversed()
    .filter((entry) => {
      if (!needed.has(entry.output)) return false;
      for (const wire of Object.values(entry.inputs)) needed.add(wire);
      return true;
    })
    .reverse();
}

function identify<B extends Backend>(graph: Graph<B>): Map<Wire, string> {
  const wires = new Set(graph.tape.flatMap(({ inputs, output }) => [...Object.values(inputs), output]));
  return new Map(Array.from(wires, (wire, i) => [wire, `wire${i}`]));
}

const EVALUATION = { training: false, key: 0 };

/** Runs the backward of one gate twice for each input: with ones, which gives the local gradient, and with the upstream
 *  gradient. */
async function explainGate<B extends Backend>(
  backend: B,
  { gate, inputs, output }: TapeEntry<B>,
  wires: ReadonlyMap<Wire, ExplainedWire>,
): Promise<ExplainedGate> {
  const tensors = Object.fromEntries(Object.entries(inputs).map(([name, wire]) => [name, wire.tensor]));
  const names = Object.fromEntries(Object.entries(inputs).map(([name, wire]) => [name, wire.name]));
  const gradientsFrom = (upstream: Tensor) =>
    gate.backward(backend, { inputs: tensors, output: output.tensor, upstream, pass: EVALUATION });
  const ones = backend.allocate(output.shape);
  backend.write(ones, new Float64Array(sizeOf(output.shape)).fill(1));
  const locals = gradientsFrom(ones);
  const products = output.needsGradient ? gradientsFrom(output.gradient) : {};
  const formulas = gate.formulas?.(names);

  const explained: ExplainedInput[] = [];
  for (const [name, wire] of Object.entries(inputs)) {
    const compute = async (gradient: (typeof locals)[string] | undefined) => {
      if (!gradient || !wire.needsGradient) return undefined;
      const tensor = backend.allocate(wire.shape);
      gradient(store(tensor));
      return read(backend, tensor);
    };
    explained.push({
      name,
      wire: wires.get(wire)!,
      local: (wire.needsGradient ? formulas?.[name] : undefined) ?? (await compute(locals[name])),
      gradient: await compute(products[name]),
    });
  }
  return { name: gate.name, inputs: explained, output: wires.get(output)! };
}

async function read(backend: Backend, tensor: Tensor): Promise<Values> {
  return { shape: tensor.shape, values: await backend.read(tensor) };
}
