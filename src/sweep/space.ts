import type { Config } from '../config/config.ts';

/** A hyperparameter that a sweep varies, and its values. */
export type Parameter =
  | { readonly field: keyof Config; readonly kind: 'choice'; readonly values: readonly (string | number | boolean)[] }
  | {
      readonly field: keyof Config;
      readonly kind: 'range';
      readonly min: number;
      readonly max: number;
      /** Whether its logarithm is uniform. */
      readonly log: boolean;
      /** Whether it takes integers only, min and max included. */
      readonly integer: boolean;
    };

export type Space = readonly Parameter[];
