import { FIELDS } from '../../config/config.ts';
import type { Field } from '../../config/field.ts';
import type { Parameter, Range, Space } from '../space/space.ts';

/** Share of a range next to an end of it that counts as its border. */
const BORDER = 0.05;

/** A value at the border of the space, beyond which better ones may lie. */
export interface Border {
  readonly field: Parameter['field'];
  readonly value: number;
  readonly side: 'lowest' | 'highest';
  /** The range to search next: the half at the border, and as much beyond it. */
  readonly next: { readonly min: number; readonly max: number; readonly log: boolean };
}

/** Values of a configuration that lie at the border of their range, where the range could be extended. */
export function bordersOf(space: Space, config: Readonly<Record<string, unknown>>): Border[] {
  return space.flatMap((parameter) => {
    const value = config[parameter.field];
    if (parameter.kind !== 'range' || typeof value !== 'number' || parameter.min === parameter.max) return [];
    const scale = parameter.log ? Math.log : (x: number) => x;
    const place = (scale(value) - scale(parameter.min)) / (scale(parameter.max) - scale(parameter.min));
    if (place > BORDER && place < 1 - BORDER) return [];
    const side = place <= BORDER ? 'lowest' : 'highest';
    const next = { ...rangeBeyond(parameter, side), log: parameter.log };
    const isWider = side === 'lowest' ? next.min < parameter.min : next.max > parameter.max;
    return isWider ? [{ field: parameter.field, value, side, next }] : [];
  });
}

function rangeBeyond({ field, min, max, log, step }: Range, side: Border['side']): { min: number; max: number } {
  const middle = log ? Math.sqrt(min * max) : (min + max) / 2;
  const [reach, shift] = [log ? Math.sqrt(max / min) : 1, (max - min) / 2];
  const beyond = side === 'lowest' ? (log ? min / reach : min - shift) : log ? max * reach : max + shift;
  const round = (value: number) => (step === null ? Number(value.toPrecision(2)) : step * Math.round(value / step));
  const end = nearest(field, round(beyond), side === 'lowest' ? min : max);
  return side === 'lowest' ? { min: end, max: round(middle) } : { min: round(middle), max: end };
}

/** A value, or the one that is half way to it, and so on, until the field accepts it. */
function nearest(name: Parameter['field'], value: number, accepted: number): number {
  const { accepts }: Field = FIELDS[name];
  for (let i = 0, at = value; i < 8; i++, at = Number(((at + accepted) / 2).toPrecision(3))) if (accepts(at)) return at;
  return accepted;
}
