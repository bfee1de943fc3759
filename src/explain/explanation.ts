import { type Backend, sizeOf, type Tensor } from '../backends/backend.ts';
import type { TapeEntry } from '../engine/backward-path.ts';
import { store } from '../engine/gate.ts';
import type { Graph } from '../engine/graph.ts';
import type { Wire } from '../engine/wire.ts';
import type { Values } from './expression/values.ts';

/** How the gradient of one output came about: every gate that it depends on, with the numbers of both passes. */
export interface Explanation {
  readonly output: ExplainedWire;
  /** The gradient that backpropagation began with. */
  readonly upstream: Values;
  /** The leaves, in the order in which the gates meet them. */
  readonly leaves: readonly ExplainedWire[];
  /** In the order in which they were applied. */
  readonly gates: readonly ExplainedGate[];
}

export interface ExplainedWire {
  /** The same in all explanations of a graph, and no other wire's. */
  readonly id: string;
  readonly name: string;
  /** A parameter (or variable), an input (or constant), or the output of a gate. */
  readonly kind: 'parameter' | 'input' | 'gate';
  readonly value: Values;
  /** Summed over all gates that use it; undefined where none flows. */
  readonly gradient: Values | undefined;
}

export interface ExplainedGate {
  readonly name: string;
  readonly inputs: readonly ExplainedInput[];
  readonly output: ExplainedWire;
}

export interface ExplainedInput {
  /** What the gate calls it. */
  readonly name: string;
  readonly wire: ExplainedWire;
  /** For each element of the input the derivative of the gate's output; a formula in `upstream` where that would be a matrix
   *  of derivatives; undefined where no gradient flows. */
  readonly local: Values | string | undefined;
  /** Upstream times local: what this gate contributes to the gradient of the wire. */
  readonly gradient: Values | undefined;
}

/** Goes backward from one wire, and writes down what every gate does. Reads the values that the last forward pass left, which
 *  must not have been one of training.
 *
 *  @param output any wire that depends on a parameter. @param upstream the gradient to begin with; ones unless it is given. */
export async function explain<B extends Backend>(
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

/** The part of the tape that a wire depends on. */
export function entriesBefore<B extends Backend>(graph: Graph<B>, output: Wire): TapeEntry<B>[] {
  const wanted = new Set([output]);
  return graph.tape
    .toReversed()
    .filter((entry) => {
      if (!wanted.has(entry.output)) return false;
      for (const wire of Object.values(entry.inputs)) wanted.add(wire);
      return true;
    })
    .reverse();
}

function identify<B extends Backend>(graph: Graph<B>): Map<Wire, string> {
  const wires = new Set(graph.tape.flatMap(({ inputs, output }) => [...Object.values(inputs), output]));
  return new Map(Array.from(wires, (wire, i) => [wire, `wire${i}`]));
}

const EVALUATION = { training: false, key: 0 };

/** Runs the backward of one gate twice, input by input: with ones, which gives the local gradients, and with the upstream
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
