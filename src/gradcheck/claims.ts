import { type Backend, sizeOf, type Tensor } from '../backends/backend.ts';
import type { TapeEntry } from '../engine/backward-path.ts';
import { type Pass, store } from '../engine/gate.ts';
import type { Graph } from '../engine/graph.ts';
import type { Wire } from '../engine/wire.ts';
import type { Random } from '../random.ts';
import type { Claim } from './examine.ts';
import { winnersOf, winnersOfGraph } from './kinks.ts';
import type { Evaluation } from './slope.ts';

/** A gradient by a parameter of the graph. */
export interface ParameterClaim extends Claim {
  readonly wire: Wire;
}

/** What backpropagation says of each parameter: its gradient of `loss`, for the graph at the values that it holds. While a
 *  claim is examined, it moves the parameter, and puts it back when the next one is asked for.
 *  @throws TypeError on a float32 backend, whose rounding would drown the differences. */
export async function* parameterClaims(graph: Graph, loss: Wire, pass: Pass): AsyncGenerator<ParameterClaim> {
  const { backend } = graph;
  expectFloat64(backend);
  graph.forward(pass);
  graph.backward(loss);
  for (const wire of graph.parameters) {
    const point = await read(backend, wire.tensor);
    const gradient = await read(backend, wire.gradient);
    const evaluate = async (moved: Float64Array): Promise<Evaluation> => {
      backend.write(wire.tensor, moved);
      graph.forward(pass);
      return { value: (await backend.read(loss.tensor))[0], winners: await winnersOfGraph(graph) };
    };
    yield { wire, point, gradient, evaluate };
    backend.write(wire.tensor, point);
  }
  graph.forward(pass);
}

/** The gradient by one input of one gate. */
export interface GateClaim extends Claim {
  readonly entry: TapeEntry;
  readonly input: string;
}

/** What the backward of each gate says of each of its inputs, without the rest of the graph: the gradient of Σ R ⊙ y, with
 *  the gate's output y and a random upstream gradient R, at the values that the last forward pass left on the wires. In the
 *  order of the tape. Inputs without a gradient (labels) and inputs of bytes are left out.
 *  @throws TypeError on a float32 backend. */
export async function* gateClaims(graph: Graph, pass: Pass, random: Random): AsyncGenerator<GateClaim> {
  expectFloat64(graph.backend);
  for (const entry of graph.tape) {
    for (const input of Object.keys(entry.inputs)) {
      const claim = await gateClaim(graph.backend, entry, input, pass, random);
      if (claim) yield claim;
    }
  }
}

async function gateClaim(
  backend: Backend,
  entry: TapeEntry,
  input: string,
  pass: Pass,
  random: Random,
): Promise<GateClaim | undefined> {
  const { gate, inputs } = entry;
  if (inputs[input].tensor.dtype !== 'float64') return undefined;
  const { shape } = entry.output;
  const R = Float64Array.from({ length: sizeOf(shape) }, () => random.normal());
  const [output, upstream] = [backend.allocate(shape), backend.allocate(shape)];
  backend.write(upstream, R);
  const tensors = Object.fromEntries(Object.entries(inputs).map(([name, { tensor }]) => [name, tensor]));
  gate.forward(backend, tensors, output, pass);
  const compute = gate.backward(backend, { inputs: tensors, output, upstream, pass })[input];
  if (!compute) return undefined;
  const at = inputs[input];
  const [into, moved] = [backend.allocate(at.shape), backend.allocate(at.shape)];
  compute(store(into));
  const evaluate = async (point: Float64Array): Promise<Evaluation> => {
    backend.write(moved, point);
    const there = { ...tensors, [input]: moved };
    gate.forward(backend, there, output, pass);
    const value = (await read(backend, output)).reduce((sum, y, i) => sum + R[i] * y, 0);
    return { value, winners: await winnersOf(backend, gate, there, output) };
  };
  const [point, gradient] = [await read(backend, at.tensor), await read(backend, into)];
  return { entry, input, point, gradient, evaluate };
}

async function read(backend: Backend, tensor: Tensor): Promise<Float64Array> {
  const values = await backend.read(tensor);
  return values instanceof Float64Array ? values : Float64Array.from(values);
}

function expectFloat64({ dtype }: Backend): void {
  if (dtype !== 'float64') throw new TypeError(`gradients are checked in float64, got ${dtype}`);
}
