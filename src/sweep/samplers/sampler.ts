export const METHODS = ['grid', 'random', 'sobol', 'tpe', 'bayes'] as const;
export type Method = (typeof METHODS)[number];

/** One dimension of the space in which a sampler works: the coordinates of a point are numbers from 0 to 1. */
export interface Dimension {
  /** Number of different values; Infinity for a range of numbers. Value k of n has the coordinates from k/n to (k + 1)/n. */
  readonly levels: number;
  /** Whether neighbouring coordinates mean similar values. */
  readonly isOrdered: boolean;
}

/** One coordinate in [0, 1) for each dimension. */
export type Point = readonly number[];

/** An earlier trial, as a sampler sees it. */
export interface Observation {
  readonly point: Point;
  /** Higher is better. −Infinity for a trial that diverged or failed; null if the result is not known yet. */
  readonly score: number | null;
}

/** Proposes the point of a trial. A proposal is a pure function of the dimensions, the seed, the number of the trial and the
 *  earlier trials: the same on every machine. */
export interface Sampler {
  /** Number of points after which it has no more; Infinity if it never ends. */
  readonly size: number;
  /** Number of the last trials whose results it can do without: those of trials 0 to `trial` − 1 − lag are known to it. Infinity if
   *  it uses no results. */
  readonly lag: number;
  /** @param trial counted from 0. @param history of trials 0 to `trial` − 1. */
  propose(trial: number, history: readonly Observation[]): Point;
}
