import * as v from 'valibot';
import { expectSchema, finite } from '../../documents/schema.ts';
import { UsageError } from '../../errors.ts';
import { field, message } from '../../message.ts';
import { choiceOf, expectDistinct, expectSearchable, rangeOf } from './parse-space.ts';
import type { Parameter, Space } from './space.ts';

const PARAMETER = v.variant('kind', [
  v.object({
    field: v.string(),
    kind: v.literal('choice'),
    values: v.array(v.union([v.string(), finite, v.boolean()])),
  }),
  v.object({
    field: v.string(),
    kind: v.literal('range'),
    min: finite,
    max: finite,
    log: v.boolean(),
    step: v.nullable(finite),
  }),
]);

/** Returns a space that was saved as JSON.
 *  @param refuse makes an error of what is wrong. @throws that error, also for a space that `parseSpace` would refuse. */
export function decodeSpace(value: unknown, refuse: (problem: string) => Error): Space {
  const saved = expectSchema(v.array(PARAMETER), value, refuse);
  try {
    return expectDistinct(saved.map(checked));
  } catch (error) {
    throw error instanceof UsageError ? refuse(error.message) : error;
  }
}

function checked(saved: v.InferOutput<typeof PARAMETER>): Parameter {
  const key = expectSearchable(saved.field);
  if (saved.kind === 'choice') return choiceOf(key, saved.values);
  const range = rangeOf(key, saved.min, saved.max, saved.log);
  if (range.step === saved.step) return range;
  throw new UsageError(message`${field(key)} has values ${String(saved.step)} apart, wanted ${String(range.step)}`);
}
