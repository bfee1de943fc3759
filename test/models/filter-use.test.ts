import { expect, it } from 'vitest';
import { filterUse } from '../../src/models/filter-use.ts';

it('adds up mean |activation| × ‖output weights‖ over the units of a filter', () => {
  // Two filters with two units each: units 0 and 2, and units 1 and 3. Two classes.
  const use = filterUse([1, 2, 3, 0], [3, 0, 1, 5, 4, 2, 0, 5], 2);
  expect(Array.from(use)).toEqual([1 * 5 + 3 * 1, 2 * 2]);
});
