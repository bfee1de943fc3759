import { Random } from '../../../random.ts';
import type { Dimension, Observation, Point, Sampler } from '../sampler.ts';
import { sobolSampler } from '../sobol.ts';
import { logExpectedImprovement } from './expected-improvement.ts';
import { GaussianProcess } from './gaussian-process.ts';
import { fitHyperparameters } from './hyperparameters.ts';
import { positionsOf } from './kernel.ts';
import { maximise } from './maximise.ts';

/** Results that have to be known before they choose a point. */
const STARTUP = 10;
/** Results that the model uses: the time of a proposal grows with their cube. */
const MAX_RESULTS = 100;
/** Known points whose neighbourhood is searched. */
const STARTS = 5;

/** Bayesian optimisation: the point with the highest expected improvement under a Gaussian process that learns from the
 *  results. It is to improve on the highest mean of all points so far, not on a score that may owe something to chance. The first
 *  points are those of `sobolSampler`, until ten results are known.
 *  Source: J. Snoek et al., "Practical Bayesian Optimization of Machine Learning Algorithms" (2012).
 *  @param lag number of the last trials whose results are not used even if they are known. */
export function bayesSampler(dimensions: readonly Dimension[], seed: number, lag: number): Sampler {
  const start = sobolSampler(dimensions, seed);
  return {
    size: Infinity,
    lag,
    propose(trial, history) {
      const isKnown = ({ score }: Observation, i: number) => i < trial - lag && score !== null;
      const results = history.filter(isKnown);
      if (results.length < STARTUP || results.every(({ score }) => score === -Infinity)) {
        return start.propose(trial, history);
      }
      const used = mostUseful(results);
      const scores = standardised(used.map(({ score }) => score!));
      const pending = history.filter((one, i) => !isKnown(one, i));
      const points = [...used, ...pending].map(({ point }) => point);
      const hyperparameters = fitHyperparameters(dimensions, positionsOf(dimensions, points), scores);
      const model = new GaussianProcess(dimensions, points, scores, hyperparameters);
      const means = points.map((point) => model.mean(point));
      const best = Math.max(...means);
      const order = means.map((_, i) => i).sort((i, j) => means[j] - means[i] || i - j);
      const isTried = repeats(dimensions, history);
      return maximise(
        dimensions,
        (point) => (isTried(point) ? -Infinity : logExpectedImprovement(...model.predict(point), best)),
        order.slice(0, STARTS).map((i) => points[i]),
        hyperparameters.lengthScales,
        new Random(seed, 'sampler', trial),
      );
    },
  };
}

/** All results, or of too many the best half and the latest of the others. */
function mostUseful(results: readonly Observation[]): readonly Observation[] {
  const ranked = results.map((_, i) => i).sort((i, j) => results[j].score! - results[i].score! || j - i);
  const best = new Set(ranked.slice(0, MAX_RESULTS / 2));
  const others = results.map((_, i) => i).filter((i) => !best.has(i));
  const latest = new Set(others.slice(-MAX_RESULTS / 2));
  return results.filter((_, i) => best.has(i) || latest.has(i));
}

/** Scores with mean 0 and deviation 1. One that is farther below the median than the best is above it, and that of a trial that
 *  diverged, counts as just as far: how bad the bad ones are does not matter.
 *  @param scores at least one of them finite. */
export function standardised(scores: readonly number[]): Float64Array {
  const ranked = scores.filter((score) => score > -Infinity).sort((a, b) => b - a);
  const [best, median, worst] = [ranked[0], ranked[Math.floor(ranked.length / 2)], ranked.at(-1)!];
  const floor = median - (best - median || median - worst || 1);
  const limited = Float64Array.from(scores, (score) => Math.max(score, floor));
  const mean = limited.reduce((sum, score) => sum + score, 0) / limited.length;
  const variance = limited.reduce((sum, score) => sum + (score - mean) * (score - mean), 0) / limited.length;
  return limited.map((score) => (score - mean) / (Math.sqrt(variance) || 1));
}

/** Whether an earlier trial has the values of a point. In a range of numbers, that happens at its ends. */
function repeats(dimensions: readonly Dimension[], history: readonly Observation[]): (point: Point) => boolean {
  const valuesOf = (point: Point) => positionsOf(dimensions, [point]).join(' ');
  const tried = new Set(history.map(({ point }) => valuesOf(point)));
  return (point) => tried.has(valuesOf(point));
}
