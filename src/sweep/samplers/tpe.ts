import { Random } from '../../random.ts';
import { levelOf } from './kernels.ts';
import { ParzenEstimator } from './parzen.ts';
import type { Dimension, Observation, Point, Sampler } from './sampler.ts';
import { sobolSampler } from './sobol.ts';

/** Trials whose points do not depend on results. */
const STARTUP = 10;
/** Points drawn for a proposal, of which it is the most promising. */
const CANDIDATES = 24;

/** Multivariate tree-structured Parzen estimator: of 24 points drawn from the density l of the best tenth of the trials, at most
 *  25, the one with the highest ratio to the density g of the others. Trials whose result is not known yet count as bad ones, so
 *  that their neighbourhood is not searched twice at once. The first ten points are those of `sobolSampler`.
 *  Source: the TPESampler of Optuna 5; J. Bergstra et al., "Algorithms for Hyper-Parameter Optimization" (2011); S. Watanabe,
 *  "Tree-Structured Parzen Estimator" (2023).
 *  @param lag number of the last trials whose results are not used even if they are known. */
export function tpeSampler(dimensions: readonly Dimension[], seed: number, lag: number): Sampler {
  const start = sobolSampler(dimensions, seed);
  return {
    size: Infinity,
    lag,
    propose(trial, history) {
      if (trial < STARTUP) return start.propose(trial, history);
      const { good, bad } = split(history, trial - lag);
      const [l, g] = [good, bad].map((group) => {
        return new ParzenEstimator(
          dimensions,
          group.map(({ point }) => point),
        );
      });
      const random = new Random(seed, 'sampler', trial);
      const candidates = Array.from({ length: CANDIDATES }, () => l.sample(random));
      const fresh = candidates.filter((point) => !isIn(dimensions, history, point));
      return highest(fresh.length > 0 ? fresh : candidates, (point) => l.density(point) / g.density(point));
    },
  };
}

/** Whether an earlier trial has the same values. Ranges of numbers do not repeat one. */
function isIn(dimensions: readonly Dimension[], history: readonly Observation[], point: Point): boolean {
  const isSame = (other: Point) =>
    dimensions.every(({ levels }, d) => levelOf(point[d], levels) === levelOf(other[d], levels));
  return dimensions.every(({ levels }) => levels < Infinity) && history.some((one) => isSame(one.point));
}

function highest(points: readonly Point[], score: (point: Point) => number): Point {
  const scores = points.map(score);
  return points[scores.indexOf(Math.max(...scores))];
}

/** The best tenth of the trials with a known result, none of which diverged, and all others, both in the order of the trials.
 *  @param known number of the first trials whose results are known. */
function split(history: readonly Observation[], known: number): { good: Observation[]; bad: Observation[] } {
  const results = history.slice(0, Math.max(0, known)).filter(({ score }) => score !== null);
  const ranked = results.filter(({ score }) => score !== -Infinity).sort((a, b) => b.score! - a.score!);
  const best = new Set(ranked.slice(0, Math.min(Math.ceil(results.length / 10), 25)));
  return {
    good: history.filter((one) => best.has(one)),
    bad: history.filter((one) => !best.has(one)),
  };
}
