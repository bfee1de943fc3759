import type { InitConfig } from '../models/initialise.ts';
import type { HiddenLayer } from '../models/mlp.ts';
import type { ModelConfig } from '../models/model.ts';
import type { OptimizerName } from '../optim/optimizers.ts';

export const RECIPE_NAMES = ['plain', 'fast', 'best'] as const;
export type RecipeName = (typeof RECIPE_NAMES)[number];

/** Fields that determine the defaults of others, and which of them have an effect. */
export type Choices = Pick<ModelConfig, 'model' | 'loss' | Exclude<keyof HiddenLayer, 'dropout' | 'mirror'>> &
  Pick<InitConfig, 'init'> & {
    readonly recipe: RecipeName;
    readonly optimizer: OptimizerName;
    readonly batchSize: number;
  };

/** One hyperparameter: its range, default and help. config.ts has the table of all hyperparameters. */
export interface Field<T = unknown> {
  /** Accepted values in words: "an integer ≥ 1 and ≤ 8192". */
  readonly wanted: string;
  readonly help: string;
  readonly default: T | ((choices: Choices) => T);
  /** The default in words, if it depends on other fields. */
  readonly shownDefault?: string;
  readonly choices?: readonly T[];
  /** The field has an effect only if each of these choices has one of the listed values. */
  readonly onlyWith?: { readonly [Choice in keyof Choices]?: readonly Choices[Choice][] };
  /** Whether the field is either on or off. */
  readonly isSwitch?: boolean;
  /** Values are multiples of this integer. */
  readonly step?: number;
  /** Range in which a search is worth while, such as "1e-4..1e-1:log". */
  readonly search?: string;
  /** Whether a value is of the right type and in range. */
  accepts(value: unknown): value is T;
  /** Parses a text; undefined if it is not a valid value. A value that is not a text is returned if it is accepted. */
  parse(raw: unknown): T | undefined;
}

type Extra<T> = Omit<Field<T>, 'accepts' | 'parse' | 'wanted' | 'choices' | 'isSwitch' | 'step'>;
type Rules<T> = Pick<Field<T>, 'wanted' | 'accepts' | 'parse'>;

interface Range {
  readonly min?: number;
  readonly above?: number;
  readonly max?: number;
  readonly below?: number;
}

export function number(range: Range, extra: Extra<number>): Field<number> {
  return { ...extra, ...numeric(range) };
}

export function integer(range: Range, extra: Extra<number>): Field<number> {
  return { ...extra, ...numeric(range, true), step: 1 };
}

/** A multiple of an integer. */
export function multipleOf(step: number, range: Range, extra: Extra<number>): Field<number> {
  const { wanted, accepts, parse } = numeric(range, true);
  const isMultiple = (value: unknown): value is number => accepts(value) && value % step === 0;
  return {
    ...extra,
    step,
    wanted: wanted.replace('an integer', `a multiple of ${step}`),
    accepts: isMultiple,
    parse(raw) {
      const value = parse(raw);
      return isMultiple(value) ? value : undefined;
    },
  };
}

/** An integer, or null if it is left out. */
export function optionalInteger(range: Range, extra: Extra<number | null>): Field<number | null> {
  const { wanted, accepts, parse } = numeric(range, true);
  return {
    ...extra,
    step: 1,
    wanted,
    accepts: (value): value is number | null => value === null || accepts(value),
    parse: (raw) => (raw === null ? null : parse(raw)),
  };
}

function numeric(range: Range, isInteger = false): Rules<number> {
  const { min = -Infinity, above = -Infinity, max = Infinity, below = Infinity } = range;
  const accepts = (value: unknown): value is number =>
    typeof value === 'number' &&
    (isInteger ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
    value >= min &&
    value > above &&
    value <= max &&
    value < below;
  return {
    wanted: `${isInteger ? 'an integer' : 'a number'} ${inWords(range)}`,
    accepts,
    parse(raw) {
      const value = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : raw;
      return accepts(value) ? value : undefined;
    },
  };
}

function inWords({ min, above, max, below }: Range): string {
  const low = min !== undefined ? `≥ ${min}` : `> ${above}`;
  const high = max !== undefined ? `≤ ${max}` : `< ${below}`;
  return max === undefined && below === undefined ? low : `${low} and ${high}`;
}

/** One of a few words or numbers. */
export function choice<const T extends string | number>(choices: readonly T[], extra: Extra<T>): Field<T> {
  return {
    ...extra,
    choices,
    wanted: `one of ${choices.join(', ')}`,
    accepts: (value): value is T => (choices as readonly unknown[]).includes(value),
    parse: (raw) => choices.find((one) => one === raw || String(one) === raw),
  };
}

export function flag(extra: Extra<boolean>): Field<boolean> {
  const words = new Map([
    ['true', true],
    ['1', true],
    ['false', false],
    ['0', false],
  ]);
  return {
    ...extra,
    isSwitch: true,
    wanted: 'true or false',
    accepts: (value): value is boolean => typeof value === 'boolean',
    parse: (raw) => (typeof raw === 'boolean' ? raw : words.get(String(raw))),
  };
}
