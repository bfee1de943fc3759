import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Config, FIELD_LIST, FIELDS } from '../../src/config/config.ts';
import type { Field } from '../../src/config/field.ts';
import { effectiveConfig, resolveConfig } from '../../src/config/resolve.ts';
import { UsageError } from '../../src/errors.ts';

/** Returns the error for values that TypeScript would not allow. */
function errorFor(given: unknown): UsageError {
  try {
    resolveConfig(given as Partial<Config>);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(given)} was accepted`);
}

describe('resolveConfig refuses, with the name of the field', () => {
  it.each<[given: object, field: string, message: string]>([
    [{ lr: -5 }, 'lr', 'lr must be a number > 0, got -5'],
    [{ lr: Number.NaN }, 'lr', 'lr must be a number > 0, got NaN'],
    [{ lr: '0.1' }, 'lr', "lr must be a number > 0, got '0.1', a string"],
    [{ epochs: 0 }, 'epochs', 'epochs must be an integer ≥ 1, got 0'],
    [{ epochs: 1.5 }, 'epochs', 'epochs must be an integer ≥ 1, got 1.5'],
    [{ batchSize: 'x' }, 'batchSize', 'batchSize must be an integer ≥ 1 and ≤ 50000, got x'],
    [{ batchSize: 50001 }, 'batchSize', 'got 50001'],
    [{ foo: 1 }, 'foo', 'foo is not a hyperparameter; the hyperparameters are model, recipe, hidden'],
    [{ learningRate: 0.1 }, 'learningRate', 'learningRate is not a hyperparameter'],
    [{ toString: 1 }, 'toString', 'toString is not a hyperparameter'],
    [{ model: 'cnn' }, 'model', 'model must be one of linear, mlp, got cnn'],
    [{ model: null }, 'model', 'model must be one of linear, mlp, got null'],
    [{ model: 'mlp', hidden: 0 }, 'hidden', 'hidden must be an integer ≥ 1 and ≤ 8192, got 0'],
    [{ model: 'mlp', dropout: 1 }, 'dropout', 'dropout must be a number ≥ 0 and < 1, got 1'],
    [{ flip: 'yes' }, 'flip', 'flip must be true or false, got yes'],
    [{ seed: 2 ** 53 }, 'seed', 'seed must be an integer'],
    [{ shift: -1 }, 'shift', 'shift must be an integer ≥ 0 and ≤ 31, got -1'],
    [{ val: [1000] }, 'val', 'val must be an integer ≥ 0, got [1000]'],
    [{ optimizer: 'adam' }, 'optimizer', 'optimizer must be one of sgd, adamw, muon, got adam'],
    [{ hidden: 100 }, 'hidden', "only with model: 'mlp'; add model: 'mlp', or leave hidden out"],
    [
      { hidden: 100, model: 'linear' },
      'hidden',
      "hidden has an effect only with model: 'mlp', but model is linear; set model: 'mlp' or leave hidden out",
    ],
    [{ loss: 'hinge', labelSmoothing: 0.1 }, 'labelSmoothing', "only with loss: 'softmax'"],
    [{ optimizer: 'adamw', momentum: 0.5 }, 'momentum', "only with optimizer: 'sgd' or muon"],
    [{ initStd: 0.5 }, 'initStd', "only with init: 'normal'"],
    [{ earlyStop: 3, val: 0 }, 'earlyStop', 'earlyStop: 3 needs validation images, but val is 0'],
  ])('%j', (given, field, message) => {
    const error = errorFor(given);
    expect([error.field, error.message]).toEqual([field, expect.stringContaining(message)]);
  });

  it('a value that is not an object', () => {
    for (const given of [null, 'mlp', [1], 3, new Map([['lr', 0.1]])])
      expect(errorFor(given).message).toContain('a configuration must be an object');
  });
});

/** Arbitrary values, to compare a field's check with its range in words. */
const ANYTHING = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.string(),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.integer()),
);

it('accepts exactly the values of the type and range that the message names', () => {
  const keys = FIELD_LIST.map(([key]) => key);
  fc.assert(
    fc.property(fc.constantFrom(...keys), ANYTHING, (key, value) => {
      const field: Field = FIELDS[key];
      // The choices with which the field has an effect.
      const given = {
        ...Object.fromEntries(Object.entries(field.onlyWith ?? {}).map(([name, [first]]) => [name, first])),
        [key]: value,
      };
      if (isInWords(field.wanted, value) || (value === null && field.default === null)) {
        expect(resolveConfig(given as Partial<Config>)[key]).toBe(value);
      } else {
        const error = errorFor(given);
        expect(error.field).toBe(key);
        expect(error.message).toContain(field.wanted);
      }
    }),
    { numRuns: 2000 },
  );
});

/** Reads a range the way a person would: "an integer ≥ 1 and ≤ 8192", "one of linear, mlp", "true or false". */
function isInWords(wanted: string, value: unknown): boolean {
  if (wanted === 'true or false') return typeof value === 'boolean';
  if (wanted.startsWith('one of '))
    return wanted
      .slice('one of '.length)
      .split(', ')
      .includes(value as string);
  if (typeof value !== 'number' || !Number.isFinite(value)) return false;
  if (wanted.startsWith('an integer') && !Number.isSafeInteger(value)) return false;
  const [, factor] = /^a multiple of (\d+)/.exec(wanted) ?? [];
  if (factor !== undefined && value % Number(factor) !== 0) return false;
  return [...wanted.matchAll(/(≥|>|≤|<) (\S+)/g)].every(([, sign, bound]) => {
    const limit = Number(bound);
    return sign === '≥' ? value >= limit : sign === '>' ? value > limit : sign === '≤' ? value <= limit : value < limit;
  });
}

it('returns a configuration that it accepts unchanged', () => {
  for (const given of [
    {},
    { model: 'mlp', hidden: 7 },
    { optimizer: 'adamw', loss: 'hinge' },
    { model: 'mlp', recipe: 'fast' },
  ] as Partial<Config>[]) {
    const config = resolveConfig(given);
    expect(resolveConfig(config)).toEqual(config);
    expect(resolveConfig(effectiveConfig(config))).toEqual(config);
  }
});

it('treats an undefined field as not given', () => {
  expect(resolveConfig({ lr: undefined, model: undefined } as object)).toEqual(resolveConfig({}));
});
