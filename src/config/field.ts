import type { ModelConfig } from '../models/model.ts';
import type { OptimizerConfig } from '../optim/optimizer.ts';

/** What the defaults of a recipe depend on. */
export type Recipe = Pick<ModelConfig, 'model' | 'loss'> & Pick<OptimizerConfig, 'optimizer'>;

/** One hyperparameter: its range, its default and its help. The table of all of them is in config.ts. */
export interface Field<T = unknown> {
  /** What is accepted, in words: "an integer ≥ 1 and ≤ 8192". */
  readonly wanted: string;
  readonly help: string;
  readonly default: T | ((recipe: Recipe) => T);
  /** The default in words, where it depends on the recipe. */
  readonly shownDefault?: string;
  readonly choices?: readonly T[];
  /** The choices without which the field means nothing. */
  readonly onlyWith?: Partial<Recipe> & { readonly init?: 'normal' };
  /** Whether it is a switch: --name and --no-name. */
  readonly isSwitch?: boolean;
  /** The value that a flag, a variable (both text) or a JSON file gave; undefined if it is out of range. */
  parse(raw: unknown): T | undefined;
}

type Extra<T> = Omit<Field<T>, 'parse' | 'wanted' | 'choices'>;

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
  return { ...extra, ...numeric(range, true) };
}

/** An integer that may be left out; null then. */
export function optionalInteger(range: Range, extra: Extra<number | null>): Field<number | null> {
  const { wanted, parse } = numeric(range, true);
  return { ...extra, wanted, parse: (raw) => (raw === null ? null : parse(raw)) };
}

function numeric(range: Range, isInteger = false): Pick<Field<number>, 'wanted' | 'parse'> {
  const { min = -Infinity, above = -Infinity, max = Infinity, below = Infinity } = range;
  return {
    wanted: `${isInteger ? 'an integer' : 'a number'} ${inWords(range)}`,
    parse(raw) {
      const value = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : raw;
      if (typeof value !== 'number' || !Number.isFinite(value) || (isInteger && !Number.isSafeInteger(value))) return;
      return value >= min && value > above && value <= max && value < below ? value : undefined;
    },
  };
}

function inWords({ min, above, max, below }: Range): string {
  const low = min !== undefined ? `≥ ${min}` : `> ${above}`;
  const high = max !== undefined ? `≤ ${max}` : `< ${below}`;
  return max === undefined && below === undefined ? low : `${low} and ${high}`;
}

export function choice<const T extends string>(choices: readonly T[], extra: Extra<T>): Field<T> {
  return {
    ...extra,
    choices,
    wanted: `one of ${choices.join(', ')}`,
    parse: (raw) => choices.find((name) => name === raw),
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
    parse: (raw) => (typeof raw === 'boolean' ? raw : words.get(String(raw))),
  };
}
