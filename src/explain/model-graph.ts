import { type Backend, type DType, type Shape, sizeOf, type Tensor } from '../backends/backend.ts';
import type { Wire } from '../engine/wire.ts';
import type { Model } from '../models/model.ts';
import { meanAbsolute } from './format.ts';

/** Cost of one training step of a graph, and statistics of its values and gradients. */
export interface ModelExplanation {
  readonly batchSize: number;
  /** Wires, in the order in which the gates use them. */
  readonly wires: readonly WireStatistics[];
  readonly gates: readonly GateCost[];
  /** Number of trainable parameters. */
  readonly parameters: number;
  /** In bytes. */
  readonly memory: {
    readonly parameters: number;
    readonly optimizer: number;
    readonly activations: number;
    readonly gradients: number;
  };
  /** Floating-point operations per step. */
  readonly flops: { readonly forward: number; readonly backward: number };
  /** Absent for the linear classifier. */
  readonly hidden?: {
    readonly units: number;
    /** Units that are zero for every image of the batch. */
    readonly deadUnits: number;
    /** Share of activations that are zero, in [0, 1]. */
    readonly zeroShare: number;
  };
}

export interface WireStatistics {
  readonly name: string;
  readonly kind: 'input' | 'parameter' | 'value';
  readonly shape: Shape;
  readonly bytes: number;
  /** Mean |value| over all elements; null for labels, which are not quantities. */
  readonly meanValue: number | null;
  /** Mean |gradient|; null if no gradient flows. */
  readonly meanGradient: number | null;
}

export interface GateCost {
  readonly gate: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** Floating-point operations: a product [M, K] · [K, N] counts as 2 M K N, that of P groups as the sum of theirs, a copy as
   *  none, and any other gate as one per element of its output or its largest input. */
  readonly forward: number;
  /** The same for the gradients. Those that nobody needs, such as that of the images, are not computed. */
  readonly backward: number;
}

const BYTES: Record<Exclude<DType, 'pixel'>, number> = { float32: 4, float64: 8, label: 1 };

/** Runs one step, without the update, on the loaded batch.
 *
 *  @param key seed of the dropout masks. @param optimizerState tensors that the optimiser keeps. */
export async function explainModel(
  model: Model,
  { key, optimizerState }: { key: number; optimizerState: readonly Tensor[] },
): Promise<ModelExplanation> {
  const { graph, loss } = model;
  graph.forward({ training: true, key });
  graph.backward(loss);
  const outputs = new Set(graph.tape.map(({ output }) => output));
  const all = [...new Set(graph.tape.flatMap(({ inputs, output }) => [...Object.values(inputs), output]))];
  const wires: WireStatistics[] = [];
  for (const wire of all) wires.push(await statisticsOf(model, wire, outputs.has(wire)));

  const gates = graph.tape.map(({ gate, inputs, output }) => ({
    gate: gate.name,
    inputs: Object.values(inputs).map(({ name }) => name),
    output: output.name,
    ...costOf(gate.name, inputs, output),
  }));
  const bytesOf = (kind: WireStatistics['kind']) =>
    sum(
      wires.filter((wire) => wire.kind === kind),
      ({ bytes }) => bytes,
    );
  return {
    batchSize: graph.batchSize,
    wires,
    gates,
    parameters: sum(graph.parameters, ({ shape }) => sizeOf(shape)),
    memory: {
      parameters: bytesOf('parameter'),
      optimizer: sum(optimizerState, (tensor) => bytesIn(tensor, graph.backend)),
      activations: bytesOf('input') + bytesOf('value'),
      // Parameter gradients are not stored: they become in-place updates.
      gradients: bytesOf('value'),
    },
    flops: { forward: sum(gates, ({ forward }) => forward), backward: sum(gates, ({ backward }) => backward) },
    ...(model.hidden ? { hidden: await activityOf(model, model.hidden) } : {}),
  };
}

async function statisticsOf({ graph }: Model, wire: Wire, isOutput: boolean): Promise<WireStatistics> {
  const { name, shape, isParameter, needsGradient, tensor } = wire;
  const mean = async (of: typeof tensor) => meanAbsolute(await graph.backend.read(of));
  return {
    name,
    kind: isParameter ? 'parameter' : isOutput ? 'value' : 'input',
    shape,
    bytes: bytesIn(tensor, graph.backend),
    meanValue: tensor.dtype === 'label' ? null : await mean(tensor),
    meanGradient: needsGradient ? await mean(wire.gradient) : null,
  };
}

/** The memory of a tensor. In integer precisions, pixels stay the bytes that they are. */
function bytesIn({ dtype, shape }: Tensor, { precision, dtype: floats }: Backend): number {
  const each = dtype !== 'pixel' ? BYTES[dtype] : precision === 'float32' ? BYTES[floats] : 1;
  return each * sizeOf(shape);
}

function costOf(
  gate: string,
  inputs: Readonly<Record<string, Wire>>,
  output: Wire,
): { forward: number; backward: number } {
  const numbers = sizeOf(output.shape);
  if (output.tensor.dtype === 'pixel') return { forward: 0, backward: 0 };
  if (gate !== 'linear' && gate !== 'local linear') {
    const all = Object.values(inputs);
    const elements = ({ shape }: Wire) => Math.max(numbers, sizeOf(shape));
    return {
      forward: Math.max(...all.map(elements)),
      backward: sum(
        all.filter(({ needsGradient }) => needsGradient),
        elements,
      ),
    };
  }
  const product = 2 * numbers * inputs.weight.shape[1];
  const bias = inputs.bias ? numbers : 0;
  return { forward: product + bias, backward: (inputs.x.needsGradient ? 2 : 1) * product + bias };
}

async function activityOf({ graph }: Model, hidden: Wire): Promise<NonNullable<ModelExplanation['hidden']>> {
  const values = await graph.backend.read(hidden.tensor);
  const [, units] = hidden.shape;
  const active = new Set<number>();
  let zeros = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] === 0) zeros++;
    else active.add(i % units);
  }
  return { units, deadUnits: units - active.size, zeroShare: zeros / values.length };
}

function sum<T>(items: ArrayLike<T>, amount: (item: T) => number): number {
  let total = 0;
  for (let i = 0; i < items.length; i++) total += amount(items[i]);
  return total;
}
