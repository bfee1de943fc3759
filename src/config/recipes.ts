import type { Config } from './config.ts';
import type { RecipeName } from './field.ts';

/** Filters of windows of 8 × 8 pixels with four units each, trained by Muon. */
const LOCAL: Partial<Config> = {
  hidden: 24,
  receptiveField: 8,
  receptiveStride: 4,
  activation: 'multi-bias',
  optimizer: 'muon',
  batchSize: 512,
  schedule: 'linear',
};

/** Faster than int16 where engine and processor have products of bytes, and as accurate. */
const INT8: Partial<Config> = { precision: 'int8' };

/** Hyperparameters of each recipe, by model, where they differ from the defaults of the fields. */
export const RECIPES: Readonly<Record<RecipeName, Readonly<Record<Config['model'], Partial<Config>>>>> = {
  /** The networks of the course: dense layers, ReLU, SGD. */
  plain: { linear: { shift: 0, labelSmoothing: 0 }, mlp: {} },
  fast: { linear: INT8, mlp: { ...LOCAL, ...INT8 } },
  best: { linear: INT8, mlp: { ...LOCAL, hidden: 96, mirror: true, epochs: 48, lr: 0.02, headLr: 0.05 } },
};

/** Fields whose value in a recipe holds only for its own layers, batches, optimiser and loss. */
export const RATES: readonly (keyof Config)[] = ['lr', 'headLr'];
