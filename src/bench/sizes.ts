import type { Precision } from '../backends/backend.ts';
import type { Config } from '../config/config.ts';
import { resolveConfig } from '../config/resolve.ts';
import { IMAGE_BYTES } from '../images.ts';
import { layoutOf } from '../models/mlp.ts';

// The training steps that are measured.

/** Size of a training step. */
export interface StepSize {
  readonly model: Config['model'];
  /** Everything that the other fields do not say. */
  readonly recipe: Config['recipe'];
  /** H, or the filters for each receptive field; null for the linear model. */
  readonly hidden: number | null;
  readonly batchSize: number;
}

function mlp(hidden: number, batchSize: number, recipe: Config['recipe'] = 'plain'): StepSize {
  return { model: 'mlp', recipe, hidden, batchSize };
}

/** The step of the recipe `fast`. */
export const FAST = mlp(24, 512, 'fast');

export const STEP_SIZES: readonly StepSize[] = [
  { model: 'linear', recipe: 'plain', hidden: null, batchSize: 256 },
  mlp(100, 100),
  mlp(512, 64),
  mlp(512, 256),
  mlp(2048, 256),
  FAST,
];

/** The steps whose products are also measured one at a time. */
export const STEPS_BY_PRODUCT = [mlp(512, 256), FAST, STEP_SIZES[0]];

/** So small that repeated updates from random images barely change the weights. */
export const LEARNING_RATE = 1e-6;

/** The configuration of a step, with the augmentation of its recipe. */
export function configOf({ hidden, ...size }: StepSize, precision: Precision): Config {
  return resolveConfig({
    ...size,
    ...(hidden === null ? {} : { hidden }),
    ...{ precision, val: 0 },
    // Training never ends and learns nothing: the images are random.
    ...{ epochs: 1e9, lr: LEARNING_RATE, schedule: 'constant', warmup: 0 },
  });
}

/** The dimensions of the hidden layer of a network: P receptive fields of K values, F filters for each of them, H units in all.
 *  A network with a mirror computes everything for two `sides`. */
export function layerOf(size: StepSize) {
  const config = configOf(size, 'int8');
  const { fields: P, values: K, thresholds: T } = layoutOf(config, IMAGE_BYTES);
  return { config, P, F: config.hidden, K, H: T * P * config.hidden, sides: config.mirror ? 2 : 1 };
}
