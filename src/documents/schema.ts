import { inspect } from 'node:util';
import * as v from 'valibot';

// Schemas of files, and the words for what is wrong with a value. Load this module only to read a file: valibot takes as long to
// load as a command takes to show its help.

/** An integer ≥ 0. */
export const count = v.pipe(
  v.number(),
  v.check((value) => Number.isSafeInteger(value) && value >= 0, 'an integer ≥ 0'),
);

/** An integer ≥ 1. */
export const ordinal = v.pipe(
  v.number(),
  v.check((value) => Number.isSafeInteger(value) && value >= 1, 'an integer ≥ 1'),
);

/** A number that is neither NaN nor infinite. */
export const finite = v.pipe(v.number(), v.finite('a finite number'));

/** A number from 0 to 1. */
export const share = v.pipe(
  v.number(),
  v.check((value) => value >= 0 && value <= 1, 'a number from 0 to 1'),
);

/** A SHA-256 in hexadecimal. */
export const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits'));

/** Number of images of each split. */
export const imageCounts = v.pipe(v.object({ train: count, test: count }), v.readonly());

/** Returns the value as its schema describes it, without the fields that the schema does not know.
 *  @param refuse makes an error of what is wrong, such as "'best.epoch' is 1.5, wanted an integer ≥ 1".
 *  @throws that error. */
export function expectSchema<const S extends v.GenericSchema>(
  schema: S,
  value: unknown,
  refuse: (problem: string) => Error,
): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  throw refuse(problemOf(result.issues[0]));
}

/** Whether a value is an object, not an array. */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const KINDS: Readonly<Record<string, string>> = {
  number: 'a number',
  string: 'a string',
  boolean: 'true or false',
  Object: 'an object',
  Array: 'an array',
};

function problemOf(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  const subject = path === null ? 'it' : `'${path}'`;
  if (issue.received === 'undefined') return `${subject} is missing`;
  const wanted = issue.kind === 'schema' && issue.type !== 'custom' ? wordsFor(issue.expected ?? '') : issue.message;
  return `${subject} is ${shown(issue.input)}, wanted ${wanted}`;
}

/** Words for what valibot expects, such as `(Object | null)` or `("a" | "b")`. */
function wordsFor(expected: string): string {
  const kinds = expected.replace(/^\((.*)\)$/, '$1').split(' | ');
  return kinds.map((kind) => KINDS[kind] ?? kind).join(' or ');
}

function shown(value: unknown): string {
  return inspect(value, { depth: 0, maxStringLength: 60, maxArrayLength: 4, breakLength: Infinity });
}
