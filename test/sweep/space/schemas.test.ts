import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseSpace } from '../../../src/sweep/space/parse-space.ts';
import { decodeSpace } from '../../../src/sweep/space/schemas.ts';
import { anySpace } from './spaces.ts';

const decode = (value: unknown) => decodeSpace(value, (problem) => new Error(`BAD: ${problem}`));

it('a space survives JSON', () => {
  fc.assert(
    fc.property(anySpace, (space) => {
      expect(decode(JSON.parse(JSON.stringify(space)))).toEqual(space);
    }),
  );
});

const [range] = parseSpace(['lr=0.01..0.1']);
const [choice] = parseSpace(['flip']);

it.each([
  ['an object', {}, 'BAD: it is {}, wanted an array'],
  ['another kind', [{ ...range, kind: 'grid' }], "BAD: '0.kind' is 'grid', wanted"],
  ['no end', [{ ...range, max: undefined }], "BAD: '0.max' is missing"],
  ['values of another kind', [{ ...choice, values: [null, true] }], "BAD: '0.values.0' is null"],
  ['an unknown field', [{ ...range, field: 'foo' }], 'BAD: foo is not a hyperparameter'],
  ['a field that is not searched', [{ ...range, field: 'epochs' }], 'BAD: epochs cannot be searched'],
  ['an empty range', [{ ...range, min: 1 }], 'BAD: lr has an empty range'],
  ['a value out of range', [{ ...range, min: -1 }], 'BAD: lr must be a number > 0, got -1'],
  ['a value that is no choice', [{ ...choice, values: [true, 'maybe'] }], 'BAD: flip must be true or false, got maybe'],
  ['other steps', [{ ...range, step: 1 }], 'BAD: lr has values 1 apart, wanted null'],
  ['a field twice', [choice, choice], 'BAD: flip is searched twice'],
])('a space with %s is refused', (_, value, message) => {
  expect(() => decode(JSON.parse(JSON.stringify(value)))).toThrow(message);
});
