import type { Dimension } from '../sampler.ts';
import { Cholesky, dot } from './cholesky.ts';
import { matern, maternSlope, squaredDistance } from './kernel.ts';

/** What a Gaussian process learns from all scores together. */
export interface Hyperparameters {
  /** ℓ of each dimension, of width 1. */
  readonly lengthScales: Float64Array;
  /** Variance of the noise of a score, divided by that of the function. */
  readonly noise: number;
}

/** Least noise: it keeps the covariance positive definite in spite of rounding. */
const MIN_NOISE = 1e-6;
/** Updates of a fit: more change the proposals no longer. */
const UPDATES = 12;

/** Most probable hyperparameters, given the scores of the first points, by Rprop: each logarithm has a step of its own, which
 *  grows while the sign of its derivative stays the same. It always starts from the same values, so that equal scores give equal bits.
 *  Source: M. Blum and M. Riedmiller, "Optimization of Gaussian Process Hyperparameters using Rprop" (2013). */
export function fitHyperparameters(
  dimensions: readonly Dimension[],
  positions: Float64Array,
  scores: Float64Array,
): Hyperparameters {
  const posterior = new LogPosterior(dimensions, positions, scores);
  const logs = Float64Array.of(...dimensions.map(() => Math.log(0.4)), Math.log(0.01));
  const steps = logs.map(() => 0.3);
  let [best, highest] = [logs.slice(), -Infinity];
  let before = logs.map(() => 0);
  for (let update = 0; update < UPDATES; update++) {
    const { value, gradient } = posterior.at(logs);
    if (value > highest) [best, highest] = [logs.slice(), value];
    before = gradient.map((slope, k) => {
      const turn = slope * before[k];
      if (turn !== 0) steps[k] = turn > 0 ? Math.min(1.2 * steps[k], 1) : 0.5 * steps[k];
      if (turn < 0) return 0;
      logs[k] += Math.sign(slope) * steps[k];
      return slope;
    });
  }
  return hyperparametersAt(best);
}

function hyperparametersAt(logs: Float64Array): Hyperparameters {
  const last = logs.length - 1;
  return { lengthScales: logs.slice(0, last).map(Math.exp), noise: MIN_NOISE + Math.exp(logs[last]) };
}

/** Logarithm of the probability of hyperparameters, given scores y with mean 0, up to a constant: with A = R + g I, where R holds
 *  the kernel of each pair of points and g is the noise, and the variance of the function σ² at its best,
 *
 *      −((n + 1) log σ² + log |A|) / 2 + log p(ℓ) + log p(g),   σ² = (yᵀA⁻¹y + 1) / (n + 1),
 *
 *  which counts the variance 1 as one more score, so that equal scores do no harm. The priors are Gamma(3, 6) for each length
 *  scale, as BoTorch had it for years, and Gamma(1.1, 30) for the noise, as Optuna 5 has it.
 *  Source: C. E. Rasmussen and C. K. I. Williams, "Gaussian Processes for Machine Learning" (2006), 5.4. */
export class LogPosterior {
  readonly #scores: Float64Array;
  /** For each dimension, the squared distances of the pairs (1, 0), (2, 0), (2, 1), (3, 0), … */
  readonly #distances: readonly Float64Array[];

  constructor(dimensions: readonly Dimension[], positions: Float64Array, scores: Float64Array) {
    const n = scores.length;
    const width = dimensions.length;
    this.#scores = scores;
    this.#distances = dimensions.map((dimension, d) => {
      const distances = new Float64Array((n * (n - 1)) / 2);
      for (let i = 0, pair = 0; i < n; i++)
        for (let j = 0; j < i; j++, pair++)
          distances[pair] = squaredDistance(dimension, positions[i * width + d], positions[j * width + d]);
      return distances;
    });
  }

  /** The value and its derivatives at the logarithms of the length scales and of the noise above the least one. */
  at(logs: Float64Array): { value: number; gradient: Float64Array } {
    const n = this.#scores.length;
    const { lengthScales, noise } = hyperparametersAt(logs);
    const squares = this.#squares(lengthScales);
    const kernels = squares.map(matern);
    const covariance = new Float64Array(n * n);
    for (let i = 0, pair = 0; i < n; i++) {
      for (let j = 0; j < i; j++, pair++) covariance[i * n + j] = kernels[pair];
      covariance[i * n + i] = 1 + noise;
    }
    const cholesky = new Cholesky(covariance, n);
    const solved = this.#scores.slice();
    cholesky.solveLower(solved);
    const variance = (dot(solved, solved) + 1) / (n + 1);
    cholesky.solveUpper(solved);
    let value = -((n + 1) * Math.log(variance) + cholesky.logDeterminant()) / 2 + 0.1 * Math.log(noise) - 30 * noise;
    const weights = weightsOf(cholesky.inverse(), solved, variance);
    const slopes = kernels.map((kernel, pair) => weights.pairs[pair] * maternSlope(squares[pair], kernel));
    const gradient = new Float64Array(logs.length);
    for (const [d, scale] of lengthScales.entries()) {
      value += 2 * logs[d] - 6 * scale;
      gradient[d] = dot(slopes, this.#distances[d]) / (scale * scale) + 2 - 6 * scale;
    }
    gradient[logs.length - 1] = (weights.diagonal / 2 + 0.1 / noise - 30) * (noise - MIN_NOISE);
    return { value, gradient };
  }

  /** Squared distance of each pair in length scales. */
  #squares(lengthScales: Float64Array): Float64Array {
    const squares = new Float64Array(this.#distances[0].length);
    for (const [d, distances] of this.#distances.entries()) {
      const factor = 1 / (lengthScales[d] * lengthScales[d]);
      for (let pair = 0; pair < squares.length; pair++) squares[pair] += factor * distances[pair];
    }
    return squares;
  }
}

/** The derivative of the likelihood is tr(W ∂A) / 2 with W = ααᵀ/σ² − A⁻¹, α = A⁻¹y: the numbers of W below the diagonal, each of
 *  which counts twice, and the sum of those on it. */
function weightsOf(
  inverse: Float64Array,
  solved: Float64Array,
  variance: number,
): { readonly pairs: Float64Array; readonly diagonal: number } {
  const n = solved.length;
  const pairs = new Float64Array((n * (n - 1)) / 2);
  let diagonal = 0;
  for (let i = 0, pair = 0; i < n; i++) {
    const factor = solved[i] / variance;
    for (let j = 0; j < i; j++, pair++) pairs[pair] = factor * solved[j] - inverse[i * n + j];
    diagonal += factor * solved[i] - inverse[i * n + i];
  }
  return { pairs, diagonal };
}
