import type { Backend, DType } from '../backends/backend.ts';
import { hinge } from '../engine/gates/losses/hinge.ts';
import { softmaxCrossEntropy } from '../engine/gates/losses/softmax-cross-entropy.ts';
import { Graph } from '../engine/graph.ts';
import type { Wire } from '../engine/wire.ts';
import { CLASS_COUNT, IMAGE_BYTES } from '../images.ts';
import { linearClassifier } from './linear.ts';
import { type HiddenLayer, twoLayerNetwork } from './mlp.ts';

/** The hyperparameters of a model. Those of the hidden layer have no effect on a linear one. */
export interface ModelConfig extends HiddenLayer {
  readonly model: 'linear' | 'mlp';
  readonly loss: 'softmax' | 'hinge';
  /** ε of softmax, in [0, 1). */
  readonly labelSmoothing: number;
}

/** A graph whose leaves are the images [B, D], the labels [B] and the parameters. */
export interface Model {
  readonly graph: Graph;
  readonly images: Wire;
  readonly labels: Wire;
  /** The activations of the hidden units [B, H]; absent in the linear classifier. */
  readonly hidden?: Wire;
  /** The initial values of biases that do not start at 0. */
  readonly biasStarts: ReadonlyMap<Wire, readonly number[]>;
  /** The scores of the classes [B, C]. */
  readonly logits: Wire;
  /** The mean loss over the batch, a scalar. */
  readonly loss: Wire;
}

/** The inputs and classes of a model; those of CIFAR-10 by default. */
export interface ModelSize {
  /** D */
  readonly inputs: number;
  /** C */
  readonly classes: number;
  /** The dtype of the inputs; the backend's own by default. */
  readonly inputType?: DType;
}

const CIFAR10_SIZE: ModelSize = { inputs: IMAGE_BYTES, classes: CLASS_COUNT, inputType: 'pixel' };

/** Builds a model for batches of up to `capacity` images. Its parameters are zero until initialised.
 *
 *  linear: logits = X Wᵀ + b, with W [C, D] and b [C].
 *  mlp: logits = dropout(φ(X W₁ᵀ + b₁)) W₂ᵀ + b₂, with W₁ [H, D], b₁ [H], W₂ [C, H] and b₂ [C]; mlp.ts has the forms
 *  with smaller receptive fields and several units for each filter.
 *  X [B, D] are the scaled pixels (p − 128)/64 of the bytes p. */
export function buildModel(
  backend: Backend,
  config: ModelConfig,
  capacity: number,
  { inputs, classes, inputType }: ModelSize = CIFAR10_SIZE,
): Model {
  const graph = new Graph(backend, capacity);
  const images = graph.input('images', [inputs], inputType);
  const labels = graph.input('labels', [], 'label');
  const scores =
    config.model === 'linear'
      ? { logits: linearClassifier(graph, images, classes), biasStarts: new Map() }
      : twoLayerNetwork(graph, images, classes, config);
  const loss = graph.apply(config.loss === 'hinge' ? hinge : softmaxCrossEntropy(config.labelSmoothing), {
    logits: scores.logits,
    labels,
  });
  return { graph, images, labels, ...scores, loss };
}
