import type { Random } from '../../random.ts';
import { normalDensity, normalMass } from './normal.ts';
import type { Dimension } from './sampler.ts';

/** One distribution of coordinates for each observation, around it, and a last one that covers the whole dimension, the
 *  prior. */
export interface Kernels {
  /** Multiplies each factor by the density, or for a dimension with levels the probability, that its kernel has at a
   *  coordinate. */
  multiply(factors: Float64Array, coordinate: number): void;
  /** Draws a coordinate from a kernel. */
  sample(kernel: number, random: Random): number;
}

/** Kernels for the coordinates of n ≥ 0 observations. */
export function kernelsFor(dimension: Dimension, coordinates: readonly number[]): Kernels {
  if (!dimension.isOrdered) return new CategoricalKernels(dimension.levels, coordinates);
  const { levels } = dimension;
  const means = levels === Infinity ? coordinates : coordinates.map((x) => middleOf(x, levels));
  return new NormalKernels(levels, means);
}

/** Index of the level that a coordinate stands for. */
export function levelOf(coordinate: number, levels: number): number {
  return Math.min(Math.floor(coordinate * levels), levels - 1);
}

function middleOf(coordinate: number, levels: number): number {
  return (levelOf(coordinate, levels) + 0.5) / levels;
}

/** Normal distributions truncated to [0, 1). The deviation of one is the distance to the farther one of its neighbours, of an
 *  outer one that to its only neighbour, but at least 1/min(100, n + 2). The prior has mean ½ and deviation 1.
 *  Source: the multivariate TPE of Optuna 5. */
class NormalKernels implements Kernels {
  readonly #levels: number;
  readonly #means: Float64Array;
  readonly #deviations: Float64Array;
  /** Inverse of the share of each normal distribution that is in [0, 1). */
  readonly #scales: Float64Array;

  constructor(levels: number, means: readonly number[]) {
    this.#levels = levels;
    this.#means = Float64Array.of(...means, 0.5);
    this.#deviations = Float64Array.of(...deviationsOf(means), 1);
    this.#scales = this.#means.map((mean, k) => {
      const deviation = this.#deviations[k];
      return 1 / normalMass(-mean / deviation, (1 - mean) / deviation);
    });
  }

  multiply(factors: Float64Array, coordinate: number): void {
    const isRange = this.#levels === Infinity;
    const level = levelOf(coordinate, this.#levels);
    const low = isRange ? coordinate : level / this.#levels;
    const high = (level + 1) / this.#levels;
    for (let k = 0; k < factors.length; k++) {
      if (factors[k] === 0) continue;
      const deviation = this.#deviations[k];
      const z = (low - this.#means[k]) / deviation;
      const density = isRange ? normalDensity(z) / deviation : normalMass(z, (high - this.#means[k]) / deviation);
      factors[k] *= density * this.#scales[k];
    }
  }

  sample(kernel: number, random: Random): number {
    // At least a third of each normal distribution is inside.
    for (;;) {
      const x = this.#means[kernel] + this.#deviations[kernel] * random.normal();
      if (x >= 0 && x < 1) return this.#levels === Infinity ? x : middleOf(x, this.#levels);
    }
  }
}

function deviationsOf(means: readonly number[]): number[] {
  const n = means.length;
  const order = means.map((_, i) => i).sort((i, j) => means[i] - means[j] || i - j);
  const deviations = new Array<number>(n);
  order.forEach((i, rank) => {
    const below = rank > 0 ? means[order[rank - 1]] : n > 1 ? means[i] : 0;
    const above = rank < n - 1 ? means[order[rank + 1]] : n > 1 ? means[i] : 1;
    const distance = Math.max(means[i] - below, above - means[i]);
    deviations[i] = Math.max(distance, 1 / Math.min(100, n + 2));
  });
  return deviations;
}

/** Distributions over unordered levels: of n, an observation has the weight 1 + 1/(n + 1) for its own level and 1/(n + 1) for
 *  the others; the prior is uniform. */
class CategoricalKernels implements Kernels {
  readonly #levels: number;
  readonly #observed: readonly number[];
  /** Probability of a kernel's level if it is drawn from all levels alike, or is not the observed one. */
  readonly #other: number;

  constructor(levels: number, coordinates: readonly number[]) {
    this.#levels = levels;
    this.#observed = coordinates.map((x) => levelOf(x, levels));
    this.#other = 1 / (coordinates.length + 1 + levels);
  }

  multiply(factors: Float64Array, coordinate: number): void {
    const level = levelOf(coordinate, this.#levels);
    const prior = this.#observed.length;
    for (let k = 0; k < prior; k++) {
      factors[k] *= this.#observed[k] === level ? 1 - (this.#levels - 1) * this.#other : this.#other;
    }
    factors[prior] /= this.#levels;
  }

  sample(kernel: number, random: Random): number {
    const isAny = kernel === this.#observed.length || random.uniform() < this.#levels * this.#other;
    const level = isAny ? random.integer(this.#levels) : this.#observed[kernel];
    return (level + 0.5) / this.#levels;
  }
}
