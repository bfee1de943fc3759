import type { Config } from '../../config/config.ts';
import { effectiveConfig, resolveConfig } from '../../config/resolve.ts';
import { createSampler, startingAt } from '../samplers/create.ts';
import type { Point, Sampler } from '../samplers/sampler.ts';
import { configAt, pointOf } from '../space/space.ts';
import type { Definition } from './definition.ts';

/** The sampler of a sweep, and the configuration that a trial at a point trains. The first trial is the defaults, but in a grid,
 *  which has an order of its own. */
export function proposalsOf(
  definition: Pick<Definition, 'base' | 'space' | 'method' | 'seed'>,
): [sampler: Sampler, configAt: (point: Point) => Config] {
  const { base, space, method, seed } = definition;
  const sampler = createSampler(method, space, seed);
  const defaults = pointOf(space, resolveConfig(effectiveConfig(base)));
  return [method === 'grid' ? sampler : startingAt(defaults, sampler), (point) => configAt(base, space, point)];
}
