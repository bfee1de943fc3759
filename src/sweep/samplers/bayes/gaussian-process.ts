import type { Dimension, Point } from '../sampler.ts';
import { Cholesky, dot } from './cholesky.ts';
import type { Hyperparameters } from './hyperparameters.ts';
import { matern, positionsOf, squaredDistance } from './kernel.ts';

/** A distribution over functions of points, given the scores y of some: with the kernels k of a point and the known ones, the mean
 *  is kᵀA⁻¹y and the variance σ²(1 − kᵀA⁻¹k). A and σ² are those of `LogPosterior`.
 *
 *  Points whose scores are pending count as if each had the score that is expected there: they leave the mean as it is, and
 *  lower the variance around them. Source: the kriging believer of D. Ginsbourger et al., "Kriging is well-suited to
 *  parallelize optimization" (2010); it is also the hallucination of T. Desautels et al. (2014). */
export class GaussianProcess {
  readonly #dimensions: readonly Dimension[];
  readonly #factors: Float64Array;
  readonly #positions: Float64Array;
  readonly #cholesky: Cholesky;
  /** A⁻¹y */
  readonly #solved: Float64Array;
  readonly #variance: number;
  /** Of a point and all others: its kernels, then L⁻¹k. */
  readonly #kernels: Float64Array;

  /** @param points those with scores first. @param scores with mean 0. */
  constructor(
    dimensions: readonly Dimension[],
    points: readonly Point[],
    scores: Float64Array,
    { lengthScales, noise }: Hyperparameters,
  ) {
    this.#dimensions = dimensions;
    this.#factors = lengthScales.map((scale) => 1 / (scale * scale));
    this.#positions = positionsOf(dimensions, points);
    const n = points.length;
    const covariance = new Float64Array(n * n);
    this.#kernels = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      this.#correlate(points[i]);
      covariance.set(this.#kernels, i * n);
      covariance[i * n + i] = 1 + noise;
    }
    this.#cholesky = new Cholesky(covariance, n);
    this.#solved = scores.slice();
    this.#cholesky.solveLower(this.#solved);
    this.#variance = (dot(this.#solved, this.#solved) + 1) / (scores.length + 1);
    this.#cholesky.solveUpper(this.#solved);
  }

  /** Mean of the score at a point. */
  mean(point: Point): number {
    this.#correlate(point);
    return dot(this.#solved, this.#kernels);
  }

  /** Mean of the score at a point without its noise, and standard deviation. */
  predict(point: Point): [mean: number, deviation: number] {
    const mean = this.mean(point);
    this.#cholesky.solveLower(this.#kernels);
    const left = Math.max(1 - dot(this.#kernels, this.#kernels), 1e-12);
    return [mean, Math.sqrt(this.#variance * left)];
  }

  #correlate(point: Point): void {
    const [kernels, factors, positions, dimensions] = [this.#kernels, this.#factors, this.#positions, this.#dimensions];
    const position = positionsOf(dimensions, [point]);
    for (let i = 0, at = 0; i < kernels.length; i++) {
      let squared = 0;
      for (let d = 0; d < position.length; d++, at++)
        squared += factors[d] * squaredDistance(dimensions[d], position[d], positions[at]);
      kernels[i] = matern(squared);
    }
  }
}
