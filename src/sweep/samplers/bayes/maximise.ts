import type { Random } from '../../../random.ts';
import type { Dimension, Point } from '../sampler.ts';

/** Points all over the space. */
const GLOBAL = 128;
/** Rounds around the best points so far, with ever smaller steps, and points of each. */
const ROUNDS = 9;
const LOCAL = 24;
const BEST = 5;
/** Standard deviation of the steps of the first round, in length scales, and what it is multiplied by after each. */
const STEP = 0.3;
const SHRINK = 0.6;

/** Largest coordinate. */
const LAST = 1 - Number.EPSILON;

/** The point at which a function is highest: of random ones, and of steps from the starts and then from the best so far.
 *  @param starts points to search around first. @param lengthScales how far one has to go in each dimension to change the
 *  function. */
export function maximise(
  dimensions: readonly Dimension[],
  value: (point: Point) => number,
  starts: readonly Point[],
  lengthScales: Float64Array,
  random: Random,
): Point {
  const rated = (point: Point) => ({ point, value: value(point) });
  let best = Array.from({ length: GLOBAL }, () => rated(dimensions.map(() => random.uniform())));
  for (let round = 0, step = STEP; round < ROUNDS; round++, step *= SHRINK) {
    const from = round === 0 ? starts : best.map(({ point }) => point);
    const deviations = dimensions.map(({ levels }, d) => Math.max(step * Math.min(lengthScales[d], 1), 0.5 / levels));
    for (let i = 0; i < LOCAL; i++) best.push(rated(stepFrom(from[i % from.length], dimensions, deviations, random)));
    best = best.sort((a, b) => b.value - a.value).slice(0, BEST);
  }
  return best[0].point;
}

/** Changes about half of the coordinates, at least one; a level without order becomes any. */
function stepFrom(
  point: Point,
  dimensions: readonly Dimension[],
  deviations: readonly number[],
  random: Random,
): Point {
  const always = random.integer(dimensions.length);
  return point.map((x, d) => {
    if (d !== always && random.uniform() < 0.5) return x;
    if (!dimensions[d].isOrdered) return random.uniform();
    return Math.min(Math.max(x + deviations[d] * random.normal(), 0), LAST);
  });
}
