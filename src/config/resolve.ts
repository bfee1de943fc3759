import { UsageError } from '../errors.ts';
import { field, message } from '../message.ts';
import { type Config, FIELD_LIST, FIELDS } from './config.ts';
import type { Choices, Field } from './field.ts';
import { RATES, RECIPES } from './recipes.ts';

/** Fields that determine the defaults of others, and which of them have an effect. */
export const CHOICES = [
  'model',
  'recipe',
  'hidden',
  'receptiveField',
  'receptiveStride',
  'activation',
  'loss',
  'optimizer',
  'init',
  'batchSize',
] as const;

/** Validates the given fields, fills in the defaults, and checks that the fields are compatible.
 *  @param given a field that is undefined counts as not given.
 *  @throws UsageError, naming the field, for an unknown field, a value of the wrong type or out of range, a field that has
 *  no effect with the other choices, and fields that contradict each other. */
export function resolveConfig(given: Partial<Config>): Config {
  const checked = checkFields(given);
  const { choices, ofRecipe } = choicesOf(checked);
  const defaults = { ...defaultsFor(choices), ...ofRecipe };
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
    (choice) => (onlyWith[choice] as readonly unknown[] | undefined)?.includes(choices[choice]) ?? true,
  );
}

/** The choices of a configuration that may be incomplete, and the defaults that its recipe changes. */
function choicesOf(given: Partial<Config>): { choices: Choices; ofRecipe: Partial<Config> } {
  const { model = FIELDS.model.default as Config['model'], recipe = FIELDS.recipe.default as Config['recipe'] } = given;
  // Names that are not in the table are refused elsewhere.
  const ofRecipe = RECIPES[recipe]?.[model] ?? {};
  const choose = (values: Partial<Config>): Choices => {
    const entries = CHOICES.map((key) => [key, values[key] ?? ofRecipe[key] ?? FIELDS[key].default]);
    return Object.fromEntries(entries) as Choices;
  };
  const choices = choose(given);
  const own = choose({ model, recipe });
  return { choices, ofRecipe: CHOICES.every((key) => choices[key] === own[key]) ? ofRecipe : withoutRates(ofRecipe) };
}

function withoutRates(values: Partial<Config>): Partial<Config> {
  return Object.fromEntries(Object.entries(values).filter(([key]) => !RATES.includes(key as keyof Config)));
}

/** Drops the fields that have no effect with the other choices: those of a resolved configuration are neither saved nor
 *  shown, and those of an incomplete one would make `resolveConfig` throw. Unknown fields are kept. */
export function effectiveConfig(given: Partial<Config>): Partial<Config> {
  const { choices } = choicesOf(given);
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
    const { accepts, wanted }: Field = FIELDS[expectField(key)];
    if (!accepts(value)) throw new UsageError(message`${field(key)} must be ${wanted}, got ${inWords(value)}`);
  }
  return Object.fromEntries(entries);
}

/** @throws UsageError if there is no hyperparameter of that name. */
export function expectField(key: string): keyof Config {
  if (Object.hasOwn(FIELDS, key)) return key as keyof Config;
  throw new UsageError(
    message`${field(key)} is not a hyperparameter; the hyperparameters are ${Object.keys(FIELDS).join(', ')}`,
  );
}

function defaultsFor(choices: Choices): Config {
  const entries = FIELD_LIST.map(([key, field]) => {
    return [key, typeof field.default === 'function' ? field.default(choices) : field.default];
  });
  return Object.fromEntries(entries) as Config;
}

/** @param given fields: a choice that was left to its default is to be added, not changed. */
function noEffect(key: keyof Config, choices: Choices, given: Partial<Config>): UsageError {
  const { onlyWith = {} }: Field = FIELDS[key];
  const choice = CHOICES.find(
    (name) => onlyWith[name] && !(onlyWith[name] as readonly unknown[]).includes(choices[name]),
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
