import { isWeight, type Tensor } from '../backends/backend.ts';
import type { Graph } from '../engine/graph.ts';
import type { Wire } from '../engine/wire.ts';

/** How often the ratios are measured in a run, at most. */
const MOST_SAMPLES = 60;
/** Images from one measurement to the next, at least: one passes over the weights a few times, which takes about as long
 *  as training on fifty images, whatever the size of the network. */
const FEWEST_IMAGES = 5000;

/** The number of steps from one measurement to the next, in a run of so many steps. */
export function samplingInterval(steps: number, batchSize: number): number {
  return Math.ceil(Math.max(steps / MOST_SAMPLES, FEWEST_IMAGES / batchSize));
}

/** Measures ‖ΔW‖₂/‖W‖₂ of single steps, for every weight matrix W: its change by the update, over what it was before.
 *  It only reads the weights, where they are, and takes as much memory again as they do.
 *  Source: CS231n notes, "Neural Networks 3", "Ratio of weights:updates". */
export class UpdateRatioMeter {
  readonly #graph: Graph;
  #probes: readonly Probe[] | undefined;
  #norms: readonly number[] = [];

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** Takes note of the weights, right before an update. */
  async begin(): Promise<void> {
    const { backend } = this.#graph;
    const probes = (this.#probes ??= makeProbes(this.#graph));
    const norms: number[] = [];
    for (const { wire, change, minusOne, sum } of probes) {
      backend.scale(wire.tensor, 1, minusOne, { kind: 'store', tensor: change });
      backend.sumSquares(change, 1, sum);
      norms.push(Math.sqrt((await backend.read(sum))[0]));
    }
    this.#norms = norms;
  }

  /** Compares the weights with those, right after the update. A ratio that is no finite number is left out. */
  async end(): Promise<Record<string, number>> {
    const { backend } = this.#graph;
    const ratios: Record<string, number> = {};
    for (const [i, { wire, change, sum }] of this.#probes!.entries()) {
      backend.deliver(wire.tensor, { kind: 'add', tensor: change });
      backend.sumSquares(change, 1, sum);
      const ratio = Math.sqrt((await backend.read(sum))[0]) / this.#norms[i];
      if (Number.isFinite(ratio)) ratios[wire.name] = ratio;
    }
    return ratios;
  }
}

interface Probe {
  readonly wire: Wire;
  /** −W before the update, ΔW after it. */
  readonly change: Tensor;
  readonly minusOne: Tensor;
  readonly sum: Tensor;
}

function makeProbes({ backend, parameters }: Graph): Probe[] {
  const minusOne = backend.allocate([]);
  backend.write(minusOne, [-1]);
  return parameters.filter(isWeight).map((wire) => ({
    wire,
    change: backend.allocate(wire.shape),
    minusOne,
    sum: backend.allocate([]),
  }));
}
