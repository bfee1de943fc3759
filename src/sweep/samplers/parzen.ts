import type { Random } from '../../random.ts';
import { type Kernels, kernelsFor } from './kernels.ts';
import type { Dimension, Point } from './sampler.ts';

/** Observations that count in full: older ones count less. */
const RECENT = 25;

/** A density over points, estimated from some of them: a mixture of one product of kernels for each point, and of a prior that
 *  covers the whole space. */
export class ParzenEstimator {
  readonly #weights: Float64Array;
  readonly #kernels: readonly Kernels[];

  /** @param points in the order of their trials. */
  constructor(dimensions: readonly Dimension[], points: readonly Point[]) {
    this.#weights = weightsOf(points.length);
    this.#kernels = dimensions.map((dimension, d) =>
      kernelsFor(
        dimension,
        points.map((point) => point[d]),
      ),
    );
  }

  sample(random: Random): Point {
    let rest = random.uniform();
    let kernel = 0;
    while (kernel < this.#weights.length - 1 && rest >= this.#weights[kernel]) rest -= this.#weights[kernel++];
    return this.#kernels.map((kernels) => kernels.sample(kernel, random));
  }

  density(point: Point): number {
    const terms = this.#weights.slice();
    for (const [d, kernels] of this.#kernels.entries()) kernels.multiply(terms, point[d]);
    return terms.reduce((sum, term) => sum + term, 0);
  }
}

/** Weights of n points and the prior, with sum 1. Those of all but the last 25 points rise evenly from 1/n to 1, of those of
 *  the others. */
function weightsOf(n: number): Float64Array {
  const old = Math.max(0, n - RECENT);
  const weights = new Float64Array(n + 1).fill(1);
  for (let i = 0; i < old; i++) weights[i] = 1 / n + ((1 - 1 / n) * i) / Math.max(1, old - 1);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}
