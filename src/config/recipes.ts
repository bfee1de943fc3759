import type { Config } from './config.ts';
import type { RecipeName } from './field.ts';

/** Filters of windows of 16 × 16 pixels with four units each, trained by Muon. */
const LOCAL: Partial<Config> = {
  hidden: 64,
  receptiveField: 16,
  activation: 'multi-bias',
  optimizer: 'muon',
  batchSize: 512,
  schedule: 'linear',
};

/** Hyperparameters of each recipe, by model, where they differ from the defaults of the fields. */
export const RECIPES: Readonly<Record<RecipeName, Readonly<Record<Config['model'], Partial<Config>>>>> = {
  /** The networks of the course: dense layers, ReLU, SGD. */
  plain: { linear: { shift: 0, labelSmoothing: 0 }, mlp: {} },
  fast: { linear: {}, mlp: LOCAL },
  best: { linear: {}, mlp: { ...LOCAL, receptiveStride: 4, epochs: 45, shift: 3, lr: 0.015, headLr: 0.03 } },
};

/** Fields whose value in a recipe holds only for its own layers, batches, optimiser and loss. */
export const RATES: readonly (keyof Config)[] = ['lr', 'headLr'];
