import { UsageError } from '../../errors.ts';
import { field, message } from '../../message.ts';
import { dimensionsOf, inWords, type Range, type Space, valuesAt } from '../space/space.ts';
import { bayesSampler } from './bayes/bayes.ts';
import { gridSampler } from './grid.ts';
import { randomSampler } from './random.ts';
import type { Method, Point, Sampler } from './sampler.ts';
import { sobolSampler } from './sobol.ts';
import { tpeSampler } from './tpe.ts';

/** Number of the last trials whose results a proposal does not use: as many workers are never idle. */
const LAG = 8;
/** A range of more integers is not meant for a grid. */
const MAX_GRID_RANGE = 64;

/** The sampler of a method. Two of the same method, space and seed propose the same points.
 *  @throws UsageError if the method is `grid` and the space has a range of too many values. */
export function createSampler(method: Method, space: Space, seed: number): Sampler {
  const dimensions = dimensionsOf(space);
  if (method === 'random') return randomSampler(dimensions, seed);
  if (method === 'sobol') return sobolSampler(dimensions, seed);
  if (method === 'tpe') return tpeSampler(dimensions, seed, LAG);
  if (method === 'bayes') return bayesSampler(dimensions, seed, LAG);
  const endless = space.find((parameter, d) => parameter.kind === 'range' && !(dimensions[d].levels <= MAX_GRID_RANGE));
  if (endless) throw tooManyValues(endless as Range);
  return gridSampler(dimensions);
}

function tooManyValues(range: Range): UsageError {
  const even = { ...range, step: null };
  const values = [0, 1 / 3, 2 / 3, 1].map((coordinate) => {
    const value = Number(valuesAt([even], [coordinate])[range.field]);
    return range.step === null ? value : range.step * Math.round(value / range.step);
  });
  return new UsageError(
    message`${field(range.field)} has the range ${inWords(range)}, and a grid needs values; list some, such as ${values.join(',')}`,
  );
}

/** A sampler with another point for trial 0. */
export function startingAt(first: Point, sampler: Sampler): Sampler {
  return { ...sampler, propose: (trial, history) => (trial === 0 ? first : sampler.propose(trial, history)) };
}
