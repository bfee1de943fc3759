import type { Dimension, Sampler } from './sampler.ts';

/** Every combination of values once; those of the last dimension alternate fastest.
 *  @param dimensions each with a finite number of levels. */
export function gridSampler(dimensions: readonly Dimension[]): Sampler {
  return {
    size: dimensions.reduce((product, { levels }) => product * levels, 1),
    lag: Infinity,
    propose(trial) {
      const point = dimensions.map(() => 0);
      let rest = trial;
      for (let d = dimensions.length - 1; d >= 0; d--) {
        const { levels } = dimensions[d];
        point[d] = ((rest % levels) + 0.5) / levels;
        rest = Math.floor(rest / levels);
      }
      return point;
    },
  };
}
