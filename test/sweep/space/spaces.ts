import fc from 'fast-check';
import { type Config, FIELD_LIST, FIELDS } from '../../../src/config/config.ts';
import { choiceOf, expectSearchable, rangeOf } from '../../../src/sweep/space/parse-space.ts';
import type { Parameter, Space } from '../../../src/sweep/space/space.ts';

/** Fields that can be searched. */
export const SEARCHABLE = FIELD_LIST.map(([key]) => key).filter((key) => {
  try {
    return expectSearchable(key) === key;
  } catch {
    return false;
  }
});

/** Values that a field of numbers takes. */
function numbersOf(key: keyof Config): fc.Arbitrary<number> {
  const { step, search = '0..9' } = FIELDS[key] as { step?: number; search?: string };
  const [low, high] = search.replace(':log', '').split('..').map(Number);
  if (step) return fc.integer({ min: low / step, max: high / step }).map((k) => k * step);
  return fc.double({ min: low, max: high, noNaN: true }).map((value) => value + 0);
}

function anyParameter(key: keyof Config): fc.Arbitrary<Parameter> {
  const { choices, isSwitch } = FIELDS[key] as { choices?: readonly unknown[]; isSwitch?: boolean };
  const known = choices ?? (isSwitch ? [true, false] : undefined);
  if (known) return fc.shuffledSubarray([...known], { minLength: 2 }).map((values) => choiceOf(key, values));
  const numbers = numbersOf(key);
  const lists = fc.uniqueArray(numbers, { minLength: 2, maxLength: 6 }).map((values) => choiceOf(key, values));
  if (key === 'seed') return lists;
  const ranges = fc
    .tuple(numbers, numbers, fc.boolean())
    .map(([a, b, log]) => [Math.min(a, b), Math.max(a, b), log] as const)
    .filter(([min, max]) => max - min > 1e-8 * max)
    .map(([min, max, log]) => rangeOf(key, min, max, log && min > 0));
  return fc.oneof(lists, ranges);
}

/** Any space. */
export const anySpace: fc.Arbitrary<Space> = fc
  .shuffledSubarray(SEARCHABLE, { minLength: 1 })
  .chain((keys) => fc.tuple(...keys.map(anyParameter)));

/** A point with a coordinate for every field that can be searched. */
export const anyPoint: fc.Arbitrary<number[]> = fc.array(fc.double({ min: 0, max: 1 - 2 ** -32, noNaN: true }), {
  minLength: SEARCHABLE.length,
  maxLength: SEARCHABLE.length,
});
