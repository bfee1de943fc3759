import { DATASET_CHOICES } from '../images.ts';
import { OPTIMIZER_NAMES, OPTIMIZERS, type OptimizerName } from '../optim/optimizers.ts';
import { choice, type Field, flag, integer, multipleOf, number, optionalInteger, RECIPE_NAMES } from './field.ts';
import { defaultHeadLr, defaultLr } from './rates.ts';

/** Optimisers that use a hyperparameter. */
function optimizersWith(hyperparameter: 'momentum' | 'nesterov' | 'headLr'): { optimizer: OptimizerName[] } {
  const reads = (name: OptimizerName) =>
    (OPTIMIZERS[name].hyperparameters as readonly string[]).includes(hyperparameter);
  return { optimizer: OPTIMIZER_NAMES.filter(reads) };
}

const DECOUPLED = OPTIMIZER_NAMES.filter((name) => OPTIMIZERS[name].weightDecay === 'decoupled');

/** Every hyperparameter, in the order of the command line's help. */
export const FIELDS = {
  model: choice(['linear', 'mlp'], {
    help: 'linear (X Wᵀ + b) or mlp (3072 → H → 10)',
    default: 'linear' as const,
  }),
  recipe: choice(RECIPE_NAMES, {
    help: 'set of defaults, which single options override: plain, fast or best',
    default: 'fast' as const,
  }),
  hidden: integer(
    { min: 1, max: 8192 },
    {
      help: 'hidden filters for each receptive field, 1 to 8192; with recipe plain, the hidden units',
      default: 512,
      search: '16..512:log',
      shownDefault: '24; plain 512, best 96',
      onlyWith: { model: ['mlp'] },
    },
  ),
  receptiveField: multipleOf(
    4,
    { min: 4, max: 32 },
    {
      help: 'side of the square of pixels that a hidden unit sees, a multiple of 4; 32 is the whole image',
      default: 32,
      search: '4..32',
      shownDefault: '8; plain 32',
      onlyWith: { model: ['mlp'] },
    },
  ),
  receptiveStride: integer(
    { min: 1, max: 28 },
    {
      help: 'pixels from one receptive field to the next',
      default: 4,
      search: '2..8',
      onlyWith: { model: ['mlp'], receptiveField: [8, 4, 12, 16, 20, 24, 28] },
    },
  ),
  activation: choice(['relu', 'leaky-relu', 'sigmoid', 'tanh', 'crelu', 'multi-bias'], {
    help: 'activation of the hidden units: relu, leaky-relu, sigmoid, tanh, or several units for each filter: crelu, two, or multi-bias, four',
    default: 'relu' as const,
    shownDefault: 'multi-bias; plain relu',
    onlyWith: { model: ['mlp'] },
  }),
  mirror: flag({
    help: 'add the scores of the mirror image, by the same weights',
    default: false,
    shownDefault: 'false; best true',
    onlyWith: { model: ['mlp'] },
  }),
  dropout: number(
    { min: 0, below: 1 },
    { help: 'probability of dropping a hidden unit, < 1', default: 0, search: '0..0.5', onlyWith: { model: ['mlp'] } },
  ),
  loss: choice(['softmax', 'hinge'], {
    help: 'softmax (cross-entropy) or hinge (multiclass SVM)',
    default: 'softmax' as const,
  }),
  labelSmoothing: number(
    { min: 0, below: 1 },
    {
      help: 'ε of the softmax target, < 1',
      default: ({ loss }) => (loss === 'softmax' ? 0.1 : 0),
      search: '0..0.3',
      shownDefault: '0.1; plain linear 0',
      onlyWith: { loss: ['softmax'] },
    },
  ),
  init: choice(['he', 'xavier', 'normal'], {
    help: 'initial weights: he, xavier or normal',
    default: 'he' as const,
  }),
  initStd: number(
    { above: 0 },
    {
      help: 'standard deviation of the initial weights for init normal',
      default: 0.01,
      search: '1e-3..1e-1:log',
      onlyWith: { init: ['normal'] },
    },
  ),
  precision: choice(['int16', 'int8', 'float32'], {
    help: 'arithmetic of products with the images: int16 or int8 (exact sums of rounded weights) or float32',
    default: 'int16' as const,
    shownDefault: 'fast int8, plain and best mlp int16',
  }),
  epochs: integer(
    { min: 1 },
    { help: 'passes over the training images', default: 10, shownDefault: '10; best mlp 48' },
  ),
  batchSize: integer(
    { min: 1, max: 50000 },
    { help: 'images per step', default: 256, search: '64..1024:log', shownDefault: 'linear and plain 256, mlp 512' },
  ),
  lr: number(
    { above: 0 },
    {
      help: 'peak learning rate',
      default: defaultLr,
      search: '1e-4..1e-1:log',
      shownDefault:
        'linear 0.003, mlp 0.021, plain mlp 0.05, best mlp 0.02; follows the batch, the layers, loss and optimizer',
    },
  ),
  headLr: number(
    { above: 0 },
    {
      help: 'peak learning rate of the biases and the output layer, which muon leaves to SGD',
      default: defaultHeadLr,
      search: '5e-3..0.5:log',
      shownDefault: '0.049; best 0.05',
      onlyWith: optimizersWith('headLr'),
    },
  ),
  schedule: choice(['constant', 'step', 'linear', 'cosine'], {
    help: 'learning-rate schedule: constant, step, linear or cosine',
    default: 'cosine' as const,
    shownDefault: 'linear and plain cosine, mlp linear',
  }),
  warmup: number(
    { min: 0, below: 1 },
    { help: 'fraction of all steps in which the learning rate rises, < 1', default: 0.1, search: '0..0.3' },
  ),
  optimizer: choice(OPTIMIZER_NAMES, {
    help: `optimiser: ${OPTIMIZER_NAMES.join(', ')}`,
    default: 'sgd' as const,
    shownDefault: 'linear and plain sgd, mlp muon',
  }),
  momentum: number(
    { min: 0, below: 1 },
    { help: 'μ of SGD and Muon, < 1', default: 0.9, search: '0.8..0.99', onlyWith: optimizersWith('momentum') },
  ),
  nesterov: flag({ help: 'Nesterov momentum for SGD and Muon', default: true, onlyWith: optimizersWith('nesterov') }),
  weightDecay: number(
    { min: 0 },
    {
      help: `λ of the L2 term λ/2·‖W‖², not on biases; ${DECOUPLED.join(', ')}: decoupled`,
      default: ({ model, optimizer }) => (optimizer === 'muon' ? 0.1 : model === 'linear' ? 1e-4 : 5e-4),
      search: '1e-5..0.5:log',
      shownDefault: 'linear 0.0001, mlp 0.0005; muon 0.1',
    },
  ),
  flip: flag({ help: 'mirror half of the training images', default: true }),
  shift: integer(
    { min: 0, max: 31 },
    {
      help: 'shift training images by at most N pixels, N ≤ 31',
      default: ({ model }) => (model === 'linear' ? 1 : 2),
      search: '0..4',
      shownDefault: 'linear 1, plain linear 0, mlp 2',
    },
  ),
  earlyStop: optionalInteger(
    { min: 1 },
    {
      help: 'stop after N epochs without a better validation accuracy',
      default: null,
      shownDefault: 'off',
    },
  ),
  seed: integer(
    { min: 0, max: Number.MAX_SAFE_INTEGER },
    { help: 'seed of all randomness; the same seed gives the same bits', default: 0 },
  ),
  dataset: choice(DATASET_CHOICES, {
    help: 'cifar10, synthetic (a generated stand-in), or auto: cifar10 if it can be found or downloaded, else synthetic',
    default: 'auto',
  }),
  val: integer({ min: 0 }, { help: 'training images held out for validation', default: 1000 }),
  trainLimit: optionalInteger(
    { min: 1 },
    {
      help: 'train on at most N images',
      default: null,
      shownDefault: 'all',
    },
  ),
} satisfies Record<string, Field>;

type ValueOf<F> = F extends Field<infer T> ? T : never;

/** Every hyperparameter of a run, resolved; `FIELDS` has the range, the default and the meaning of each. */
export type Config = { readonly [Key in keyof typeof FIELDS]: ValueOf<(typeof FIELDS)[Key]> };

/** The table as a list, without the types of the individual fields. */
export const FIELD_LIST = Object.entries(FIELDS) as [keyof Config, Field][];
