import { sizeOf } from '../backends/backend.ts';
import { ReferenceBackend } from '../backends/reference/reference.ts';
import { add } from '../engine/gates/add.ts';
import { l2Penalty } from '../engine/gates/losses/l2-penalty.ts';
import { scaledPixel } from '../images.ts';
import { initialise } from '../models/initialise.ts';
import { buildModel, type ModelConfig } from '../models/model.ts';
import { Random } from '../random.ts';
import type { GraphExample } from './example.ts';
import { TOY_NET } from './toy-net.ts';

const TWO_LAYERS: ModelConfig = {
  model: 'mlp',
  hidden: 10,
  receptiveField: 32,
  receptiveStride: 1,
  mirror: false,
  activation: 'relu',
  dropout: 0,
  loss: 'softmax',
  labelSmoothing: 0,
};

/** λ of the term λ/2 ‖W‖². */
const WEIGHT_DECAY = 0.1;

/** Networks of the lecture, built like those for training. */
export const NETWORKS: readonly GraphExample[] = [
  {
    name: 'linear',
    title: 'linear score function: W [10, 3072] times an image',
    text:
      'The scores of ten classes for one image, and their loss, -ln p, where p is the probability that the softmax ' +
      'gives to the right class, 3.',
    exercise: {
      question: 'What is the gradient at linear.bias[3]? It is p - 1. Two digits are enough.',
      wire: 'linear.bias',
      element: 3,
    },
    notes: [
      'The image is random bytes and the weights are initial ones, so the loss is close to ln 10 = 2.303, the loss at ' +
        'chance. No gradient flows to the image and the label, as they are not trained.',
      'Images are rows, so a mini-batch is X Wᵀ; each row of W is the template of a class.',
    ],
    build: buildLinear,
  },
  {
    name: 'two-layer',
    title: 'two-layer network: the toy network of the first assignment',
    text:
      'Four inputs, ten hidden units with ReLU, three classes, and five examples. To the loss, an L2 penalty λ/2 ' +
      '‖W‖² of each weight is added, with λ = 0.1.',
    exercise: {
      question: 'What gradient does penalty1 send back to fc1.weight[0][0]? Two digits are enough.',
      wire: 'fc1.weight',
      through: 'penalty1',
    },
    notes: [
      'As published, the data loss is 1.26585, and 1.30379 with the L2 term of both weights: 0.05 ‖W‖² there, λ/2 ‖W‖² ' +
        `with λ = ${WEIGHT_DECAY} here.`,
      'Each weight branches to its penalty, which adds λW to its gradient.',
      'Weights are [out, in] here, and [in, out] in the course.',
    ],
    build: buildTwoLayer,
  },
];

function buildLinear() {
  const model = buildModel(new ReferenceBackend('float64'), { ...TWO_LAYERS, model: 'linear' }, 1);
  const { graph, images, labels, loss } = model;
  initialise(model, { init: 'he', initStd: 0, seed: 0 });
  const random = new Random(0, 'lecture', 'linear');
  const pixels = Float64Array.from({ length: sizeOf(images.shape) }, () => scaledPixel(random.integer(256)));
  graph.backend.write(images.tensor, pixels);
  graph.backend.write(labels.tensor, [3]);
  graph.forward();
  return { graph, outputs: [loss] };
}

function buildTwoLayer() {
  const { X, W1, W2, labels: classes } = TOY_NET;
  const model = buildModel(new ReferenceBackend('float64'), TWO_LAYERS, X.length, { inputs: 4, classes: 3 });
  const { graph, images, labels, loss } = model;
  const [weight1, , weight2] = graph.parameters;
  graph.backend.write(images.tensor, X.flat());
  graph.backend.write(labels.tensor, classes);
  graph.backend.write(weight1.tensor, transposed(W1));
  graph.backend.write(weight2.tensor, transposed(W2));
  const penalty = l2Penalty(WEIGHT_DECAY);
  const penalties = graph.apply(
    add,
    {
      a: graph.apply(penalty, { weight: weight1 }, 'penalty1'),
      b: graph.apply(penalty, { weight: weight2 }, 'penalty2'),
    },
    'penalty',
  );
  const regularised = graph.apply(add, { a: loss, b: penalties }, 'loss + L2');
  graph.forward();
  return { graph, outputs: [regularised] };
}

/** Elements of the transpose, row by row. */
function transposed(matrix: readonly (readonly number[])[]): number[] {
  return matrix[0].flatMap((_, j) => matrix.map((row) => row[j]));
}
