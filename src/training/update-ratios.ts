import { isWeight, type Tensor } from '../backends/backend.ts';
import type { Graph } from '../engine/graph.ts';
import type { Wire } from '../engine/wire.ts';

/** Maximum number of measurements in a run. */
const MAX_SAMPLES = 60;
/** Minimum number of training images between two measurements. A measurement passes over the weights a few times, which
 *  takes about as long as training on fifty images, whatever the size of the network. */
const MIN_IMAGES = 5000;

/** Returns the number of steps from one measurement to the next.
 *  @param steps in the whole run. */
export function samplingInterval(steps: number, batchSize: number): number {
  return Math.ceil(Math.max(steps / MAX_SAMPLES, MIN_IMAGES / batchSize));
}

/** Measures ‖ΔW‖₂/‖W‖₂ in single steps for every weight matrix W: the norm of its update relative to its norm before.
 *  It does not change the weights and needs one copy of them in memory.
 *  Source: CS231n notes, "Neural Networks 3", "Ratio of weights:updates". */
export class UpdateRatioMeter {
  readonly #graph: Graph;
  #probes: readonly Probe[] | undefined;
  #norms: readonly number[] = [];

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** Records the weights; call right before an update. */
  async begin(): Promise<void> {
    const { backend } = this.#graph;
    const probes = (this.#probes ??= makeProbes(this.#graph));
    const norms: number[] = [];
    for (const { wire, change, minusOne, sumOfSquares } of probes) {
      backend.scale(wire.tensor, 1, minusOne, { kind: 'store', tensor: change });
      backend.sumSquares(change, 1, sumOfSquares);
      norms.push(Math.sqrt((await backend.read(sumOfSquares))[0]));
    }
    this.#norms = norms;
  }

  /** Returns the ratios by name of the weight matrix; call right after the update. Omits a ratio that is not finite. */
  async end(): Promise<Record<string, number>> {
    const { backend } = this.#graph;
    const ratios: Record<string, number> = {};
    for (const [i, { wire, change, sumOfSquares }] of this.#probes!.entries()) {
      backend.deliver(wire.tensor, { kind: 'add', tensor: change });
      backend.sumSquares(change, 1, sumOfSquares);
      const ratio = Math.sqrt((await backend.read(sumOfSquares))[0]) / this.#norms[i];
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
  /** Sum of the squares of `change`. */
  readonly sumOfSquares: Tensor;
}

function makeProbes({ backend, parameters }: Graph): Probe[] {
  const minusOne = backend.allocate([]);
  backend.write(minusOne, [-1]);
  return parameters.filter(isWeight).map((wire) => ({
    wire,
    change: backend.allocate(wire.shape),
    minusOne,
    sumOfSquares: backend.allocate([]),
  }));
}
