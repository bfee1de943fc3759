import { UsageError } from '../errors.ts';
import { DATASET_CHOICES } from '../images.ts';
import { field, message } from '../message.ts';
import { OPTIMIZER_NAMES, OPTIMIZERS, type OptimizerName } from '../optim/optimizers.ts';
import { choice, type Field, flag, integer, number, optionalInteger, type Recipe } from './field.ts';

/** Choices that a configuration starts from. */
const RECIPE: Recipe = { model: 'linear', loss: 'softmax', optimizer: 'sgd' };

const byModel =
  <T>(linear: T, mlp: T) =>
  ({ model }: Recipe) =>
    model === 'linear' ? linear : mlp;

/** Optimisers that use a hyperparameter. */
function optimizersWith(hyperparameter: 'momentum' | 'nesterov'): { optimizer: OptimizerName[] } {
  const reads = (name: OptimizerName) =>
    (OPTIMIZERS[name].hyperparameters as readonly string[]).includes(hyperparameter);
  return { optimizer: OPTIMIZER_NAMES.filter(reads) };
}

const DECOUPLED = OPTIMIZER_NAMES.filter((name) => OPTIMIZERS[name].weightDecay === 'decoupled');

/** Every hyperparameter, in the order of the command line's help. */
export const FIELDS = {
  model: choice(['linear', 'mlp'], {
    help: 'linear (X Wᵀ + b) or mlp (3072 → H → 10)',
    default: RECIPE.model,
  }),
  hidden: integer(
    { min: 1, max: 8192 },
    { help: 'hidden units H, 1 to 8192', default: 512, onlyWith: { model: ['mlp'] } },
  ),
  activation: choice(['relu', 'leaky-relu', 'sigmoid', 'tanh'], {
    help: 'activation of the hidden units: relu, leaky-relu, sigmoid or tanh',
    default: 'relu' as const,
    onlyWith: { model: ['mlp'] },
  }),
  dropout: number(
    { min: 0, below: 1 },
    { help: 'probability of dropping a hidden unit, < 1', default: 0, onlyWith: { model: ['mlp'] } },
  ),
  loss: choice(['softmax', 'hinge'], {
    help: 'softmax (cross-entropy) or hinge (multiclass SVM)',
    default: RECIPE.loss,
  }),
  labelSmoothing: number(
    { min: 0, below: 1 },
    {
      help: 'ε of the softmax target, < 1',
      default: ({ model, loss }) => (model === 'mlp' && loss === 'softmax' ? 0.1 : 0),
      shownDefault: 'linear 0, mlp 0.1',
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
      onlyWith: { init: ['normal'] },
    },
  ),
  precision: choice(['int16', 'float32'], {
    help: 'arithmetic of products with the images: int16 (exact sums of rounded weights) or float32',
    default: 'int16' as const,
  }),
  epochs: integer({ min: 1 }, { help: 'passes over the training images', default: 10 }),
  batchSize: integer({ min: 1, max: 50000 }, { help: 'images per step', default: 256 }),
  lr: number(
    { above: 0 },
    {
      help: 'peak learning rate',
      default: ({ model, loss, optimizer }) => OPTIMIZERS[optimizer].learningRate[loss][model],
      shownDefault: 'linear 0.003, mlp 0.05; lower for hinge and adamw',
    },
  ),
  schedule: choice(['constant', 'step', 'linear', 'cosine'], {
    help: 'learning-rate schedule: constant, step, linear or cosine',
    default: 'cosine' as const,
  }),
  warmup: number(
    { min: 0, below: 1 },
    { help: 'fraction of all steps in which the learning rate rises, < 1', default: 0.1 },
  ),
  optimizer: choice(OPTIMIZER_NAMES, {
    help: `optimiser: ${OPTIMIZER_NAMES.join(' or ')}`,
    default: RECIPE.optimizer,
  }),
  momentum: number({ min: 0, below: 1 }, { help: 'μ of SGD, < 1', default: 0.9, onlyWith: optimizersWith('momentum') }),
  nesterov: flag({ help: 'Nesterov momentum for SGD', default: true, onlyWith: optimizersWith('nesterov') }),
  weightDecay: number(
    { min: 0 },
    {
      help: `λ of the L2 term λ/2·‖W‖², not on biases; ${DECOUPLED.join(', ')}: decoupled`,
      default: byModel(1e-4, 5e-4),
      shownDefault: 'linear 0.0001, mlp 0.0005',
    },
  ),
  flip: flag({ help: 'mirror half of the training images', default: true }),
  shift: integer(
    { min: 0, max: 31 },
    {
      help: 'shift training images by at most N pixels, N ≤ 31',
      default: byModel(0, 2),
      shownDefault: 'linear 0, mlp 2',
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

/** Fields that determine defaults and which other fields have an effect. */
const CHOICES = ['model', 'loss', 'optimizer', 'init'] as const;

type Choices = Pick<Config, (typeof CHOICES)[number]>;

/** Validates the given fields, fills in the defaults, and checks that the fields are compatible.
 *  @param given a field that is undefined counts as not given.
 *  @throws UsageError, naming the field, for an unknown field, a value of the wrong type or out of range, a field that has
 *  no effect with the other choices, and fields that contradict each other. */
export function resolveConfig(given: Partial<Config>): Config {
  const checked = checkFields(given);
  const choices = choicesOf(checked);
  const defaults = defaultsFor(choices);
  for (const [key, field] of FIELD_LIST) {
    const value = checked[key];
    if (value !== undefined && value !== defaults[key] && !applies(field, choices))
      throw noEffect(key, choices, checked);
  }
  const config: Config = { ...defaults, ...checked };
  if (config.earlyStop !== null && config.val === 0) {
    throw new UsageError(
      message`${field('earlyStop', config.earlyStop)} needs validation images, but ${field('val')} is 0; hold out some, for example ${field('val', 1000)}`,
    );
  }
  return config;
}

/** Whether a field has an effect in a run with these choices. */
export function applies({ onlyWith = {} }: Field, choices: Choices): boolean {
  return CHOICES.every(
    (choice) => (onlyWith[choice] as readonly string[] | undefined)?.includes(choices[choice]) ?? true,
  );
}

/** Choices of a configuration that may be incomplete. */
function choicesOf(given: Partial<Config>): Choices {
  const chosen = CHOICES.filter((choice) => given[choice] !== undefined).map((choice) => [choice, given[choice]]);
  return { ...RECIPE, init: FIELDS.init.default as Config['init'], ...Object.fromEntries(chosen) };
}

/** Drops the fields that have no effect with the other choices: those of a resolved configuration are neither saved nor
 *  shown, and those of an incomplete one would make `resolveConfig` throw. Unknown fields are kept. */
export function effectiveConfig(given: Partial<Config>): Partial<Config> {
  const choices = choicesOf(given);
  const hasEffect = (field: Field | undefined) => !field || applies(field, choices);
  return Object.fromEntries(Object.entries(given).filter(([key]) => hasEffect(FIELDS[key as keyof Config])));
}

/** Returns the given fields, each checked against its range. */
function checkFields(given: unknown): Partial<Config> {
  if (!isPlainObject(given)) {
    throw new UsageError(
      `a configuration must be an object, such as { model: 'mlp', lr: 0.05 }, got ${inWords(given)}`,
    );
  }
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  for (const [key, value] of entries) {
    if (!Object.hasOwn(FIELDS, key)) {
      throw new UsageError(
        message`${field(key)} is not a hyperparameter; the hyperparameters are ${Object.keys(FIELDS).join(', ')}`,
      );
    }
    const { accepts, wanted }: Field = FIELDS[key as keyof Config];
    if (!accepts(value)) throw new UsageError(message`${field(key)} must be ${wanted}, got ${inWords(value)}`);
  }
  return Object.fromEntries(entries);
}

function defaultsFor(choices: Choices): Config {
  const entries = FIELD_LIST.map(([key, field]) => {
    return [key, typeof field.default === 'function' ? field.default(choices) : field.default];
  });
  return { ...Object.fromEntries(entries), ...choices };
}

/** @param given fields: a choice that was left to its default is to be added, not changed. */
function noEffect(key: keyof Config, choices: Choices, given: Partial<Config>): UsageError {
  const { onlyWith = {} }: Field = FIELDS[key];
  const choice = CHOICES.find(
    (name) => onlyWith[name] && !(onlyWith[name] as readonly string[]).includes(choices[name]),
  )!;
  const [first, ...others] = onlyWith[choice]!;
  const wanted = field(choice, first);
  const effect = message`${field(key)} has an effect only with ${wanted}${others.map((name) => ` or ${name}`).join('')}`;
  return new UsageError(
    given[choice] === undefined
      ? message`${effect}; add ${wanted}, or leave ${field(key)} out`
      : message`${effect}, but ${field(choice)} is ${choices[choice]}; set ${wanted} or leave ${field(key)} out`,
  );
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Formats an invalid value for a message. A text that reads like a number is quoted, to show what is wrong with it. */
function inWords(value: unknown): string {
  if (typeof value === 'string') return Number.isNaN(Number(value)) ? value : `'${value}', a string`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
