import { UsageError } from '../errors.ts';
import { choice, type Field, flag, integer, number, optionalInteger, type Recipe } from './field.ts';

/** What every recipe starts from. */
const RECIPE: Recipe = { model: 'linear', loss: 'softmax', optimizer: 'sgd' };

const byModel =
  <T>(linear: T, mlp: T) =>
  ({ model }: Recipe) =>
    model === 'linear' ? linear : mlp;

const LEARNING_RATE = {
  sgd: { softmax: { linear: 0.003, mlp: 0.05 }, hinge: { linear: 0.0005, mlp: 0.01 } },
  adamw: { softmax: { linear: 0.0003, mlp: 0.001 }, hinge: { linear: 0.0003, mlp: 0.001 } },
} as const;

/** Every hyperparameter, in the order in which --help lists them. A key is the flag's name in camel case. */
export const FIELDS = {
  model: choice(['linear', 'mlp'], {
    help: 'linear (X Wᵀ + b) or mlp (3072 → H → 10)',
    default: RECIPE.model,
  }),
  hidden: integer(
    { min: 1, max: 8192 },
    { help: 'hidden units H, 1 to 8192', default: 512, onlyWith: { model: 'mlp' } },
  ),
  activation: choice(['relu', 'leaky-relu', 'sigmoid', 'tanh'], {
    help: 'of the hidden units: relu, leaky-relu, sigmoid or tanh',
    default: 'relu' as const,
    onlyWith: { model: 'mlp' },
  }),
  dropout: number(
    { min: 0, below: 1 },
    { help: 'probability of dropping a hidden unit, < 1', default: 0, onlyWith: { model: 'mlp' } },
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
      onlyWith: { loss: 'softmax' },
    },
  ),
  init: choice(['he', 'xavier', 'normal'], {
    help: 'how the weights start: he, xavier or normal',
    default: 'he' as const,
  }),
  initStd: number(
    { above: 0 },
    { help: 'standard deviation of the weights, with --init normal', default: 0.01, onlyWith: { init: 'normal' } },
  ),
  precision: choice(['int16', 'float32'], {
    help: 'of products with the images: int16 (exact sums of rounded weights) or float32',
    default: 'int16' as const,
  }),
  epochs: integer({ min: 1 }, { help: 'passes over the training images', default: 10 }),
  batchSize: integer({ min: 1, max: 50000 }, { help: 'images per step', default: 256 }),
  lr: number(
    { above: 0 },
    {
      help: 'peak learning rate',
      default: ({ model, loss, optimizer }) => LEARNING_RATE[optimizer][loss][model],
      shownDefault: 'linear 0.003, mlp 0.05; less for hinge and adamw',
    },
  ),
  schedule: choice(['constant', 'step', 'linear', 'cosine'], {
    help: 'learning-rate schedule: constant, step, linear or cosine',
    default: 'cosine' as const,
  }),
  warmup: number(
    { min: 0, below: 1 },
    { help: 'share of all steps in which the learning rate rises, < 1', default: 0.1 },
  ),
  optimizer: choice(['sgd', 'adamw'], { help: 'update rule: sgd or adamw', default: RECIPE.optimizer }),
  momentum: number({ min: 0, below: 1 }, { help: 'μ of SGD, < 1', default: 0.9, onlyWith: { optimizer: 'sgd' } }),
  nesterov: flag({ help: 'Nesterov momentum for SGD', default: true, onlyWith: { optimizer: 'sgd' } }),
  weightDecay: number(
    { min: 0 },
    {
      help: 'λ of the L2 term λ/2·‖W‖², not on biases; adamw: decoupled',
      default: byModel(1e-4, 5e-4),
      shownDefault: 'linear 0.0001, mlp 0.0005',
    },
  ),
  flip: flag({ help: 'mirror half of the training images', default: true }),
  shift: integer(
    { min: 0, max: 31 },
    {
      help: 'shift training images by up to so many pixels, ≤ 31',
      default: byModel(0, 2),
      shownDefault: 'linear 0, mlp 2',
    },
  ),
  earlyStop: optionalInteger(
    { min: 1 },
    {
      help: 'stop after so many epochs without a better validation accuracy',
      default: null,
      shownDefault: 'off',
    },
  ),
  seed: integer(
    { min: 0, max: Number.MAX_SAFE_INTEGER },
    { help: 'seed of all randomness; the same seed gives the same bits', default: 0 },
  ),
  dataset: choice(['auto', 'cifar10', 'synthetic'], {
    help: 'cifar10, synthetic (a generated stand-in), or auto: the first if it can be had, else the second',
    default: 'auto',
  }),
  val: integer({ min: 0 }, { help: 'training images held out for validation', default: 1000 }),
  trainLimit: optionalInteger(
    { min: 1 },
    {
      help: 'train on so many images at most',
      default: null,
      shownDefault: 'all',
    },
  ),
} satisfies Record<string, Field>;

type ValueOf<F> = F extends Field<infer T> ? T : never;

/** Every hyperparameter of a run, resolved. */
export type Config = { readonly [Key in keyof typeof FIELDS]: ValueOf<(typeof FIELDS)[Key]> };

/** The table without the types of the single fields, for going through it. */
export const FIELD_LIST = Object.entries(FIELDS) as [keyof Config, Field][];

/** Fills in the defaults and checks what fields say about each other.
 *  @throws UsageError if two fields contradict each other. */
export function resolveConfig(given: Partial<Config>): Config {
  const recipe: Recipe = {
    model: given.model ?? RECIPE.model,
    loss: given.loss ?? RECIPE.loss,
    optimizer: given.optimizer ?? RECIPE.optimizer,
  };
  const entries = FIELD_LIST.map(([key, field]) => {
    const fallback = typeof field.default === 'function' ? field.default(recipe) : field.default;
    return [key, given[key] ?? fallback];
  });
  const config: Config = Object.fromEntries(entries);
  if (config.earlyStop !== null && config.val === 0) {
    throw new UsageError(
      `--early-stop ${config.earlyStop} needs validation images, but --val is 0; hold some out, for example --val 1000`,
    );
  }
  return config;
}

/** Whether a field has an effect in a run with these choices. */
export function applies(field: Field, config: Config): boolean {
  return Object.entries(field.onlyWith ?? {}).every(([key, value]) => config[key as keyof Config] === value);
}

/** The fields that have an effect: what is written to files and shown. */
export function effectiveConfig(config: Config): Partial<Config> {
  return Object.fromEntries(
    FIELD_LIST.filter(([, field]) => applies(field, config)).map(([key]) => [key, config[key]]),
  );
}

/** Reads an object of hyperparameters, as in a configuration file.
 *  @param origin where it comes from, for the messages.
 *  @throws UsageError for an unknown key or a value out of range. */
export function parseConfig(values: unknown, origin: string): Partial<Config> {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new UsageError(`${origin} must hold one JSON object, such as {"model": "mlp", "lr": 0.05}`);
  }
  const entries = Object.entries(values).map(([key, raw]) => {
    if (!Object.hasOwn(FIELDS, key)) {
      throw new UsageError(`${origin}: there is no option '${key}'; known are ${Object.keys(FIELDS).join(', ')}`);
    }
    return [key, parseField(key as keyof Config, raw, `${origin}: ${key}`)];
  });
  return Object.fromEntries(entries);
}

/** @throws UsageError that calls the field `name`, if the value is out of range. */
export function parseField<Key extends keyof Config>(key: Key, raw: unknown, name: string): Config[Key] {
  const field: Field = FIELDS[key];
  const value = field.parse(raw);
  if (value === undefined) {
    throw new UsageError(`${name} must be ${field.wanted}, got ${typeof raw === 'string' ? raw : JSON.stringify(raw)}`);
  }
  return value as Config[Key];
}
