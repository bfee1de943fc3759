import { IMAGE_BYTES } from '../images.ts';
import { layoutOf } from '../models/mlp.ts';
import { OPTIMIZERS } from '../optim/optimizers.ts';
import type { Choices } from './field.ts';

/** η₀ of AdamW for the linear classifier with softmax and the augmentation of all recipes but `plain`. */
const AUGMENTED_LINEAR_ADAMW = 0.0006;

/** η₀ of the biases and the output layer where Muon trains the rest; hinge gradients are larger. */
const HEAD_RATE = { softmax: 0.07, hinge: 0.014 };

/** The default peak learning rate, for batches of B images, H hidden units and a first layer of F filters for each of P
 *  fields of K values; η₀ is that of the optimiser, the loss and the model:
 *
 *  - SGD: η₀ · min(2, (B/256)^¾) · min(1, √(512/H))
 *  - AdamW: η₀ · min(1, √(B/256)) · √(512 · 3072/(P F K)), the number of weights of the first layer
 *  - Muon: η₀ · min(2, √(B/512)) · √(3072/(P K)), the number of fields that see a pixel
 *
 *  A linear classifier has the first factor alone, relative to 256 images. Two significant digits. */
export function defaultLr(choices: Choices): number {
  const { model, recipe, loss, optimizer, batchSize } = choices;
  const batches = batchSize / (optimizer === 'muon' && model === 'mlp' ? 512 : 256);
  const isAugmentedAdamw = model === 'linear' && optimizer === 'adamw' && loss === 'softmax' && recipe !== 'plain';
  const base = isAugmentedAdamw ? AUGMENTED_LINEAR_ADAMW : OPTIMIZERS[optimizer].learningRate[loss][model];
  const ofBatch = {
    sgd: Math.min(2, Math.sqrt(batches) * Math.sqrt(Math.sqrt(batches))),
    adamw: Math.min(1, Math.sqrt(batches)),
    muon: Math.min(2, Math.sqrt(batches)),
  }[optimizer];
  return rounded(base * ofBatch * (model === 'linear' ? 1 : widthFactor(choices)));
}

function widthFactor(choices: Choices): number {
  const { optimizer, hidden } = choices;
  const { fields, values, thresholds } = layoutOf(choices, IMAGE_BYTES);
  const seen = (fields * values) / IMAGE_BYTES;
  return {
    sgd: Math.min(1, Math.sqrt(512 / (fields * hidden * thresholds))),
    adamw: Math.sqrt(512 / (hidden * seen)),
    muon: Math.sqrt(1 / seen),
  }[optimizer];
}

/** The default peak learning rate of the biases and the output layer: η₀ · min(1, B/512) · min(1, √(2304/H)). */
export function defaultHeadLr(choices: Choices): number {
  const { model, loss, hidden, batchSize } = choices;
  const { fields, thresholds } = layoutOf(choices, IMAGE_BYTES);
  const ofWidth = model === 'linear' ? 1 : Math.min(1, Math.sqrt(2304 / (fields * hidden * thresholds)));
  return rounded(HEAD_RATE[loss] * Math.min(1, batchSize / 512) * ofWidth);
}

/** Two significant digits: nobody can tell more apart. */
function rounded(rate: number): number {
  return Number(rate.toPrecision(2));
}
