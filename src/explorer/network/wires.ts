import type { Wire } from '../../engine/wire.ts';
import type { ModelExplanation, WireStatistics } from '../../explain/model-graph.ts';
import { IMAGE_SIDE } from '../../images.ts';
import { fieldOf } from '../../models/dense.ts';
import { filterUse } from '../../models/filter-use.ts';
import type { Model, ModelConfig } from '../../models/model.ts';
import { distributionOf } from './distribution.ts';
import type { Filter, Filters, NetworkWire, UnitActivity } from './network-data.ts';
import { encodePixels } from './pixel-map.ts';

type Values = Float32Array | Float64Array;

const MAX_FILTERS = 48;
const MAX_DEAD = 60;
const ACTIVITY_BINS = 20;

/** Describes every wire of a graph, at the values and gradients of its last passes. */
export async function networkWires(
  model: Model,
  config: ModelConfig,
  { wires }: ModelExplanation,
): Promise<NetworkWire[]> {
  const described: NetworkWire[] = [];
  for (const statistics of wires) described.push(await networkWire(model, config, statistics));
  return described;
}

async function networkWire(model: Model, config: ModelConfig, statistics: WireStatistics): Promise<NetworkWire> {
  const wire = wireOf(model, statistics.name);
  const read = (tensor: Wire['tensor']) => model.graph.backend.read(tensor);
  const values = await read(wire.tensor);
  const gradient = wire.needsGradient ? await read(wire.gradient) : null;
  const seesImages = wire.name === 'linear.weight' || wire.name === 'fc1.weight';
  const isHidden = model.graph.tape.some(({ gate, output }) => output === wire && isActivation(gate.name, config));
  return {
    ...statistics,
    value: wire.tensor.dtype === 'label' ? null : distributionOf(values),
    gradient: gradient && distributionOf(gradient),
    ...(isHidden ? { units: activityOf(values, wire, model) } : {}),
    ...(seesImages ? { filters: await filtersOf(model, config, values, gradient!) } : {}),
  };
}

function isActivation(gate: string, { activation }: ModelConfig): boolean {
  return gate === activation;
}

function wireOf({ graph }: Model, name: string): Wire {
  const all = graph.tape.flatMap(({ inputs, output }) => [...Object.values(inputs), output]);
  return all.find((wire) => wire.name === name)!;
}

/** Counts for how many images each hidden unit is not 0. @param values [B, H]. */
function activityOf(values: Values, { shape: [B, H] }: Wire, model: Model): UnitActivity {
  const active = new Float64Array(H);
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) active[i % H]++;
  const counts = Array<number>(ACTIVITY_BINS).fill(0);
  for (const images of active) counts[Math.min(ACTIVITY_BINS - 1, Math.floor((ACTIVITY_BINS * images) / B))]++;
  const filters = wireOf(model, 'fc1.weight').shape[0];
  const dead = Array.from(active.keys()).filter((unit) => active[unit] === 0);
  return {
    count: H,
    dead: dead.slice(0, MAX_DEAD).map((unit) => ({ unit, filter: unit % filters })),
    deadCount: dead.length,
    counts,
  };
}

async function filtersOf(model: Model, config: ModelConfig, weight: Values, gradient: Values): Promise<Filters> {
  const total = wireOf(model, model.hidden ? 'fc1.weight' : 'linear.weight').shape[0];
  const length = weight.length / total;
  const placeOf = (row: number) => {
    if (!model.hidden) return { size: IMAGE_SIDE, x: 0, y: 0 };
    const { size, corner } = fieldOf(config, row);
    return { size, ...corner };
  };
  const pictureOf = (row: number): Filter => {
    const cut = (values: Values) => encodePixels(values.subarray(row * length, (row + 1) * length), placeOf(row));
    return { row, weights: cut(weight), gradient: cut(gradient) };
  };
  const rows = model.hidden ? (await mostUsed(model, total)).slice(0, MAX_FILTERS) : [...Array(total).keys()];
  return {
    kind: model.hidden ? 'filters' : 'templates',
    perField: model.hidden ? config.hidden : total,
    total,
    shown: rows.map(pictureOf),
  };
}

/** The filters of the first layer, those first that move the logits of the batch most. */
async function mostUsed({ graph: { backend, parameters }, hidden }: Model, filters: number): Promise<number[]> {
  const activations = await backend.read(hidden!.tensor);
  const [B, H] = hidden!.shape;
  const mean = new Float64Array(H);
  for (let i = 0; i < activations.length; i++) mean[i % H] += Math.abs(activations[i]) / B;
  const weight = await backend.read(parameters.find(({ name }) => name === 'fc2.weight')!.tensor);
  const use = filterUse(mean, weight, filters);
  return [...use.keys()].sort((a, b) => use[b] - use[a] || a - b);
}
