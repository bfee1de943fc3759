import { type Config, FIELDS } from '../../config/config.ts';
import type { Field } from '../../config/field.ts';
import { expectField } from '../../config/resolve.ts';
import { isObject } from '../../documents/schema.ts';
import { UsageError } from '../../errors.ts';
import { field, message } from '../../message.ts';
import { choiceOf, expectSearchable, parseValues, rangeOf, usualParameter } from './parse-space.ts';
import type { Parameter, Space } from './space.ts';

type Values = Readonly<Record<string, unknown>>;

const KEYS = ['value', 'values', 'min', 'max', 'distribution'];

/** Distributions of ranges, and whether the logarithm is uniform. */
const RANGES = new Map<unknown, boolean>([
  [undefined, false],
  ['uniform', false],
  ['int_uniform', false],
  ['log_uniform_values', true],
]);
const LISTS: readonly unknown[] = [undefined, 'constant', 'categorical'];

/** Reads the key `parameters` of a sweep file: each has one value for all trials, or several to search. A parameter is an object
 *  with the words of Weights & Biases, a text as `parseValues` reads it, a value, a list of them, or nothing for the usual range.
 *  @throws UsageError, naming the field first. */
export function readParameters(parameters: Values): { space: Space; base: Partial<Config> } {
  const space: Parameter[] = [];
  const base: Record<string, unknown> = {};
  for (const [name, given] of Object.entries(parameters)) {
    const read = isObject(given) ? readObject(name, given as Values) : readPlain(name, given);
    if (typeof read === 'object' && 'kind' in read) space.push(read);
    else base[name] = read.value;
  }
  return { space, base };
}

type Read = Parameter | { readonly value: unknown };

function readPlain(name: string, given: unknown): Read {
  if (given === null) return usualParameter(expectSearchable(name));
  if (Array.isArray(given)) return choiceOf(expectSearchable(name), given);
  if (typeof given === 'string' && /,|\.\./.test(given)) return parseValues(expectSearchable(name), given);
  return { value: expectValue(name, given) };
}

function readObject(name: string, given: Values): Read {
  const key = expectField(name);
  const [unknown] = Object.keys(given).filter((one) => !KEYS.includes(one));
  if (unknown !== undefined) {
    throw new UsageError(message`${field(key)} has an unknown key ${unknown}; the keys are ${KEYS.join(', ')}`);
  }
  const { distribution, value, values, min, max } = given;
  const kinds = [value, values, min ?? max].filter((one) => one !== undefined);
  if (kinds.length !== 1) throw new UsageError(message`${field(key)} needs one of value, values, or min and max`);
  const isRange = value === undefined && values === undefined;
  if (!(isRange ? RANGES.has(distribution) : LISTS.includes(distribution))) {
    throw new UsageError(message`${field(key)} ${whyNot(distribution, isRange)}`);
  }
  if (value !== undefined) return { value: expectValue(name, value) };
  expectSearchable(name);
  if (!isRange) return listOf(key, values);
  return rangeOf(key, min, max, RANGES.get(distribution)!);
}

function listOf(key: keyof Config, values: unknown): Read {
  if (!Array.isArray(values)) throw new UsageError(message`${field(key)} must have a list of values, such as [1, 2]`);
  // As where W&B reads it, a list with one value fixes the parameter.
  return values.length === 1 ? { value: expectValue(key, values[0]) } : choiceOf(key, values);
}

function whyNot(distribution: unknown, isRange: boolean): string {
  const name = String(distribution);
  if (name === 'log_uniform') {
    return 'has the distribution log_uniform, which takes exponents as min and max; use log_uniform_values, which takes the values themselves';
  }
  if (/^q_/.test(name)) return `has the distribution ${name}, which rounds to multiples of q; list the values`;
  const known = isRange ? [...RANGES.keys()].filter((one) => one !== undefined) : LISTS.slice(1);
  return `has the distribution ${name}; with ${isRange ? 'min and max' : 'value or values'} it can be ${known.join(', ')}`;
}

function expectValue(name: string, raw: unknown): unknown {
  const key = expectField(name);
  const { parse, wanted }: Field = FIELDS[key];
  const value = parse(raw);
  if (value !== undefined) return value;
  throw new UsageError(message`${field(key)} must be ${wanted}, got ${JSON.stringify(raw) ?? String(raw)}`);
}
