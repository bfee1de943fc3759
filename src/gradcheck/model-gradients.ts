import { isWeight } from '../backends/backend.ts';
import { ReferenceBackend } from '../backends/reference/reference.ts';
import type { Config } from '../config/config.ts';
import { add } from '../engine/gates/add.ts';
import { l2Penalty } from '../engine/gates/losses/l2-penalty.ts';
import type { Wire } from '../engine/wire.ts';
import { CLASS_COUNT, IMAGE_BYTES, type ImageSet } from '../images.ts';
import { initialise } from '../models/initialise.ts';
import { buildModel, type Model } from '../models/model.ts';
import { l2StrengthOf } from '../optim/optimizers.ts';
import { plainBatch } from '../training/batches.ts';
import { loadBatch } from '../training/evaluate.ts';
import type { Checkpoint } from '../training/progress.ts';
import { writeParameters } from '../training/restore.ts';
import { checkGradients, type GradientCheck, type GradientCheckOptions } from './check-gradients.ts';

export interface ModelGradientCheck extends GradientCheck {
  /** λ of the L2 term in the loss; 0 if it has none. */
  readonly weightDecay: number;
}

export interface ModelGradientOptions extends Omit<GradientCheckOptions, 'seed'> {
  readonly config: Config;
  readonly images: ImageSet;
  /** Rows of the images that form the batch. */
  readonly indices: Uint32Array;
  /** Weights to check at. Default: the initial ones. */
  readonly tensors?: Checkpoint['tensors'] | undefined;
}

/** Checks backpropagation through a model in float64, for the loss that training minimises: with dropout, label
 *  smoothing and the L2 term.
 *  @throws UserError if the tensors do not fit the model; the signal's reason once it is aborted. */
export async function checkModelGradients(options: ModelGradientOptions): Promise<ModelGradientCheck> {
  const { config, images, indices, tensors } = options;
  // The images as real numbers, not as bytes, so that the gradient with respect to them can be checked, too.
  const size = { inputs: IMAGE_BYTES, classes: CLASS_COUNT };
  const model = buildModel(new ReferenceBackend('float64'), config, indices.length, size);
  if (tensors) writeParameters(model, tensors);
  else initialise(model, config);
  loadBatch(model, images, plainBatch(indices));
  // Decoupled weight decay is not part of the loss.
  const weightDecay = l2StrengthOf(config);
  const loss = weightDecay > 0 ? withL2Penalty(model, weightDecay) : model.loss;
  return { ...(await checkGradients(model.graph, loss, { ...options, seed: config.seed })), weightDecay };
}

/** The model's loss plus λ/2 ‖W‖² for each weight, but not for biases. */
export function withL2Penalty({ graph, loss }: Model, weightDecay: number): Wire {
  const penalty = l2Penalty(weightDecay);
  return graph.parameters.filter(isWeight).reduce((sum, weight) => {
    const term = graph.apply(penalty, { weight }, `penalty of ${weight.name}`);
    return graph.apply(add, { a: sum, b: term }, 'regularised loss');
  }, loss);
}
