import { type Backend, sizeOf, type Tensor } from '../backends/backend.ts';
import type { TapeEntry } from '../engine/backward-path.ts';
import { type Pass, store } from '../engine/gate.ts';
import type { Graph } from '../engine/graph.ts';
import type { Wire } from '../engine/wire.ts';
import type { Random } from '../random.ts';
import type { GradientUnderTest } from './compare.ts';
import { hashKinkSides, hashKinkSidesOfGraph } from './kinks.ts';
import type { Evaluation } from './slope.ts';

/** Gradient of the loss with respect to one parameter of the graph. */
export interface ParameterGradient extends GradientUnderTest {
  readonly wire: Wire;
}

/** Yields the gradient of `loss` with respect to each parameter, at the values that the graph holds. Evaluations move
 *  the parameter; it is restored when the next gradient is requested, or the loop is left.
 *  @throws TypeError on a float32 backend, whose rounding would hide the differences. */
export async function* parameterGradients(graph: Graph, loss: Wire, pass: Pass): AsyncGenerator<ParameterGradient> {
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
      return { value: (await backend.read(loss.tensor))[0], kinkSides: await hashKinkSidesOfGraph(graph) };
    };
    try {
      yield { wire, point, gradient, evaluate };
    } finally {
      backend.write(wire.tensor, point);
    }
  }
  graph.forward(pass);
}

/** Gradient of one gate with respect to one of its inputs. */
export interface GateGradient extends GradientUnderTest {
  readonly entry: TapeEntry;
  readonly input: string;
}

/** Yields the gradient of each gate with respect to each of its inputs, without the rest of the graph, in the order of
 *  the tape: the gradient of Σ R ⊙ y, with the gate's output y and a random upstream gradient R, at the values of the
 *  last forward pass. Skips inputs without a gradient (labels) and inputs of bytes.
 *  @throws TypeError on a float32 backend. */
export async function* gateGradients(graph: Graph, pass: Pass, random: Random): AsyncGenerator<GateGradient> {
  expectFloat64(graph.backend);
  for (const entry of graph.tape) {
    for (const input of Object.keys(entry.inputs)) {
      const gradient = await gateGradient(graph.backend, entry, input, pass, random);
      if (gradient) yield gradient;
    }
  }
}

async function gateGradient(
  backend: Backend,
  entry: TapeEntry,
  input: string,
  pass: Pass,
  random: Random,
): Promise<GateGradient | undefined> {
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
  const wire = inputs[input];
  const [result, moved] = [backend.allocate(wire.shape), backend.allocate(wire.shape)];
  compute(store(result));
  const evaluate = async (point: Float64Array): Promise<Evaluation> => {
    backend.write(moved, point);
    const movedInputs = { ...tensors, [input]: moved };
    gate.forward(backend, movedInputs, output, pass);
    const value = (await read(backend, output)).reduce((sum, y, i) => sum + R[i] * y, 0);
    return { value, kinkSides: await hashKinkSides(backend, gate, movedInputs, output) };
  };
  const [point, gradient] = [await read(backend, wire.tensor), await read(backend, result)];
  return { entry, input, point, gradient, evaluate };
}

async function read(backend: Backend, tensor: Tensor): Promise<Float64Array> {
  const values = await backend.read(tensor);
  return values instanceof Float64Array ? values : Float64Array.from(values);
}

function expectFloat64({ dtype }: Backend): void {
  if (dtype !== 'float64') throw new TypeError(`gradients are checked in float64, got ${dtype}`);
}
