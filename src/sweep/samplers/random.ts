import { Random } from '../../random.ts';
import type { Dimension, Sampler } from './sampler.ts';

/** Independent uniform points. */
export function randomSampler(dimensions: readonly Dimension[], seed: number): Sampler {
  return {
    size: Infinity,
    lag: Infinity,
    propose(trial) {
      const random = new Random(seed, 'sampler', trial);
      return dimensions.map(() => random.uniform());
    },
  };
}
