import type { Config } from '../../config/config.ts';
import { effectiveConfig } from '../../config/resolve.ts';
import type { Plan, Trial } from './plan.ts';

/** Values of the searched hyperparameters of a trial, without those that have no effect in it. */
export function sweptValues(
  { definition }: Plan,
  { config }: Trial,
): Record<string, NonNullable<Config[keyof Config]>> {
  const effective = effectiveConfig(config);
  return Object.fromEntries(
    definition.space.flatMap(({ field }) => {
      const value = effective[field];
      return value === undefined || value === null ? [] : [[field, value]];
    }),
  );
}
