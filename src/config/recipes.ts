import type { Config } from './config.ts';

/** Filters of windows of 16 × 16 pixels with four units each, trained by Muon. */
const LOCAL: Partial<Config> = {
  hidden: 64,
  receptiveField: 16,
  activation: 'multi-bias',
  optimizer: 'muon',
  batchSize: 512,
  schedule: 'linear',
  weightDecay: 0.1,
};

/** Hyperparameters of each recipe, by model, where they differ from the defaults of the fields. */
const RECIPES: Readonly<Record<Config['recipe'], Readonly<Record<Config['model'], Partial<Config>>>>> = {
  /** The networks of the course: dense layers, ReLU, SGD. */
  plain: { linear: {}, mlp: {} },
  fast: { linear: {}, mlp: { ...LOCAL, receptiveStride: 8, epochs: 10, shift: 2, lr: 0.025, headLr: 0.07 } },
  best: { linear: {}, mlp: { ...LOCAL, receptiveStride: 4, epochs: 45, shift: 3, lr: 0.015, headLr: 0.03 } },
};

/** Fields whose value in a recipe fits only its own optimiser and loss. */
const RATES: readonly (keyof Config)[] = ['lr', 'headLr', 'weightDecay'];

/** Returns the defaults that a recipe changes. @param given fields that have been set: they win. */
export function recipeDefaults(
  given: Partial<Config>,
  recipe: Config['recipe'],
  model: Config['model'],
): Partial<Config> {
  // Names that are not in the tables are refused elsewhere.
  const values: Partial<Config> = RECIPES[recipe]?.[model] ?? {};
  const { optimizer = values.optimizer, loss = 'softmax' } = given;
  if (optimizer === values.optimizer && loss === 'softmax') return values;
  const entries = Object.entries(values).filter(([key]) => !RATES.includes(key as keyof Config));
  return Object.fromEntries(entries);
}
