import { nested, parseAssignments } from '../../explain/expression/values.ts';
import type { Question, ValuesByName } from '../question.ts';

/** A larger tensor does not go into the address, which browsers limit. */
const MAX_NUMBERS = 200;

/** The part of the address after the page's own: the name of an example, or an expression or example with its values:
 *  "#q%20=%20x*y&x=-2&y=5". */
export function addressOf({ what, values: start, isOriginal }: Question, values: ValuesByName): string {
  const isUnchanged = isOriginal && [...values].every(([name, value]) => value === start.get(name));
  const given = isUnchanged ? [] : [...values].filter(([, value]) => value.values.length <= MAX_NUMBERS);
  const parts = given.map(([name, value]) => `${encode(name)}=${encode(JSON.stringify(nested(value)))}`);
  return `#${[encode(what), ...parts].join('&')}`;
}

/** @returns undefined if the address has no expression. */
export function readAddress(hash: string): { what: string; values: ValuesByName } | undefined {
  try {
    const [what, ...assignments] = hash.slice(1).split('&').map(decodeURIComponent);
    return what === '' ? undefined : { what, values: parseAssignments(assignments) };
  } catch {
    return undefined;
  }
}

/** Leaves what is legible in an address as it is. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/%(5B|5D|2C|2F|3B|3D)/g, decodeURIComponent);
}
