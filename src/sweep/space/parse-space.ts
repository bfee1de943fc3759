import { type Config, FIELDS } from '../../config/config.ts';
import type { Choices, Field } from '../../config/field.ts';
import { effectiveConfig, expectField, resolveConfig } from '../../config/resolve.ts';
import { UsageError } from '../../errors.ts';
import { field, type Message, message } from '../../message.ts';
import { type Choice, inWords, type Parameter, type Range, type Space, type Value } from './space.ts';

/** Why a sweep cannot vary a field. */
const FIXED: { readonly [Key in keyof Config]?: string } = {
  model: 'its models differ in what else has an effect; run a sweep for each of them',
  recipe: 'its recipes differ in the number of epochs; search the fields that they set',
  epochs: 'trials are compared after the same number of epochs',
  earlyStop: 'trials are compared after the same number of epochs',
  dataset: 'trials are compared on the same images',
  val: 'trials are compared on the same images',
  trainLimit: 'trials are compared after training on the same images',
};

/** Parses parameters, each of a different field; see `parseParameter`. */
export function parseSpace(texts: readonly string[]): Space {
  return expectDistinct(texts.map(parseParameter));
}

/** Parses a field and its values: a range such as `lr=1e-4..1e-1:log` or `dropout=0..0.5`, a list such as
 *  `optimizer=sgd,adamw`, or the field alone for its usual range or all its choices.
 *  @throws UsageError, naming the field first, for a field that is unknown or cannot be searched, and for values that are out
 *  of the field's range, empty, the same, or a single one. */
export function parseParameter(text: string): Parameter {
  const [name, ...rest] = text.split('=');
  const key = expectSearchable(name.trim());
  if (rest.length === 0) return usualParameter(key);
  return parseValues(key, rest.join('=').trim());
}

/** Parses the values of a field: a range or a list. */
export function parseValues(key: keyof Config, text: string): Parameter {
  const [values, ...scale] = text.split(':');
  const ends = values.split('..');
  if (scale.length > 0 && (ends.length < 2 || scale.join(':').trim() !== 'log')) {
    throw new UsageError(message`${field(key)} ends with :${scale.join(':')}, wanted :log after a range, or nothing`);
  }
  if (ends.length < 2) return choiceOf(key, values.split(','));
  const [min, ...max] = ends;
  return rangeOf(key, min, max.join('..'), scale.length > 0);
}

/** @throws UsageError for a field that is unknown or cannot be searched. */
export function expectSearchable(name: string): keyof Config {
  const key = expectField(name);
  if (FIXED[key]) throw new UsageError(message`${field(key)} cannot be searched: ${FIXED[key]}`);
  return key;
}

/** All choices of a field, or the range in which it is usually searched. */
export function usualParameter(key: keyof Config): Parameter {
  const { search, choices, isSwitch }: Field = FIELDS[key];
  if (choices) return choiceOf(key, choices);
  if (isSwitch) return choiceOf(key, [true, false]);
  if (search) return parseValues(key, search);
  throw new UsageError(message`${field(key)} has no usual range; list its values, such as 0,1,2`);
}

/** A list of values, as texts or as they are. */
export function choiceOf(key: keyof Config, raw: readonly unknown[]): Choice {
  const values = raw.map((one) => expectValue(key, one));
  const [repeated] = values.filter((value, i) => values.indexOf(value) < i);
  if (repeated !== undefined) throw new UsageError(message`${field(key)} lists ${String(repeated)} twice`);
  if (values.length === 0) throw new UsageError(message`${field(key)} has no values; a search needs two or more`);
  if (values.length === 1) throw oneValue(key, values[0]);
  return { field: key, kind: 'choice', values };
}

/** A range of numbers, its ends as texts or as they are. */
export function rangeOf(key: keyof Config, from: unknown, to: unknown, log: boolean): Range {
  if (FIELDS[key].choices ?? FIELDS[key].isSwitch) {
    throw new UsageError(message`${field(key)} has no range; list its values, such as ${inWords(usualParameter(key))}`);
  }
  if (key === 'seed') throw new UsageError(message`${field(key)} has no range; list its values, such as 0,1,2`);
  const [min, max] = [from, to].map((end) => expectValue(key, end) as number);
  if (min === max) throw oneValue(key, min);
  if (min > max) throw new UsageError(message`${field(key)} has an empty range: ${min} is above ${max}`);
  if (max - min < 1e-9 * max) {
    throw new UsageError(message`${field(key)} has an empty range: ${min} and ${max} are almost the same`);
  }
  if (log && min <= 0) {
    throw new UsageError(
      message`${field(key)} has a logarithmic range that begins at ${min}; it must begin above 0, such as ${max / 1000}..${max}:log`,
    );
  }
  return { field: key, kind: 'range', min, max, log, step: FIELDS[key].step ?? null };
}

function expectValue(key: keyof Config, raw: unknown): Value {
  const { wanted, parse }: Field = FIELDS[key];
  const value = parse(typeof raw === 'string' ? raw.trim() : raw);
  if (value === undefined || value === null) {
    throw new UsageError(message`${field(key)} must be ${wanted}, got ${shown(raw)}`);
  }
  return value as Value;
}

function shown(raw: unknown): string {
  return typeof raw === 'string' && raw.trim() !== '' ? raw : (JSON.stringify(raw) ?? 'nothing');
}

function oneValue(key: keyof Config, value: Value): UsageError {
  return new UsageError(
    message`${field(key)} has one value, ${String(value)}, and nothing to search; set ${field(key, value)} for all trials instead`,
  );
}

/** @throws UsageError for a field that is searched twice. */
export function expectDistinct(space: Space): Space {
  const [repeated] = space.filter(({ field }, i) => space.findIndex((one) => one.field === field) < i);
  if (repeated) throw new UsageError(message`${field(repeated.field)} is searched twice; leave one of them out`);
  return space;
}

/** Checks that each field of a space has an effect with some of the values of the others.
 *  @param base fields that all trials share. @throws UsageError, naming the field first. */
export function expectEffect(space: Space, base: Partial<Config>): void {
  const fixed = resolveConfig(effectiveConfig(base));
  for (const { field: key } of space) {
    const { onlyWith = {} }: Field = FIELDS[key];
    for (const [choice, wanted] of Object.entries(onlyWith) as [keyof Choices, readonly unknown[]][]) {
      const searched = space.find(({ field }) => field === choice);
      if (searched ? wanted.some((value) => includes(searched, value)) : wanted.includes(fixed[choice])) continue;
      throw new UsageError(noEffect(key, choice, wanted));
    }
  }
}

function noEffect(key: keyof Config, choice: keyof Choices, [first, ...others]: readonly unknown[]): Message {
  const wanted = message`${field(choice, first)}${others.map((name) => ` or ${name}`).join('')}`;
  return message`${field(key)} has an effect only with ${wanted}, which no trial has; set ${field(choice, first)} or leave ${field(key)} out`;
}

function includes(parameter: Parameter, value: unknown): boolean {
  if (parameter.kind === 'choice') return parameter.values.includes(value as Value);
  return typeof value === 'number' && value >= parameter.min && value <= parameter.max;
}
