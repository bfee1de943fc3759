import { scaleLinear, scaleLog } from 'd3-scale';
import type { SweptParameter, Value } from '../../sweep/sweep-data.ts';
import { numberText, valueText } from './trials.ts';

/** Pixels between two labels of an axis. */
const LABEL_GAP = 9;

/** Positions of values on an axis from 0 to 1. */
export interface Scale {
  readonly isChoice: boolean;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
  readonly position: (value: Value | undefined) => number;
  /** The value at a position in words; for choices, the nearest one. */
  readonly label: (position: number) => string;
}

/** The scale of a hyperparameter: logarithmic, linear, or choices at equal distances.
 *  @param values of the trials; those outside the domain, as the defaults may be, widen it. */
export function scaleOf({ scale, domain }: SweptParameter, values: readonly Value[]): Scale {
  if (scale === 'choice') return choices([...new Set([...domain, ...values])]);
  const numbers = [...domain, ...values].filter((value) => typeof value === 'number');
  return numeric([Math.min(...numbers), Math.max(...numbers)], scale);
}

/** @param show formats a tick; by default a plain number. */
export function numeric(
  [low, high]: readonly [number, number],
  kind: 'linear' | 'log',
  show: (value: number) => string = numberText,
): Scale {
  // A logarithm needs values above zero.
  const scale = (kind === 'log' && low > 0 ? scaleLog() : scaleLinear()).domain([low, high]);
  const isShown = scale.tickFormat(5);
  return {
    isChoice: false,
    // On a logarithmic axis, the format gives no text for most ticks between powers of ten.
    ticks: scale.ticks(5).flatMap((tick) => (isShown(tick) === '' ? [] : [{ at: scale(tick), label: show(tick) }])),
    position: (value) => scale(Number(value)),
    label: (position) => show(scale.invert(position)),
  };
}

function choices(all: readonly (Value | undefined)[]): Scale {
  const place = (index: number) => (all.length > 1 ? index / (all.length - 1) : 0.5);
  return {
    isChoice: true,
    ticks: all.map((value, i) => ({ at: place(i), label: valueText(value) })),
    position: (value) => place(all.indexOf(value)),
    label: (position) => valueText(all[Math.min(all.length - 1, Math.max(0, Math.round(position * (all.length - 1))))]),
  };
}

/** Places the labels of ticks below an axis: within its ends, and without those that would overlap.
 *  @param width of the axis, in pixels. @returns the middle of each label, in pixels. */
export function labelled(ticks: Scale['ticks'], width: number): { at: number; label: string; middle: number }[] {
  const kept: { at: number; label: string; middle: number; end: number }[] = [];
  for (const { at, label } of ticks) {
    const half = 3.6 * label.length;
    const middle = Math.min(width - half, Math.max(half, at * width));
    if (kept.length === 0 || middle - half >= kept.at(-1)!.end + LABEL_GAP)
      kept.push({ at, label, middle, end: middle + half });
  }
  return kept;
}
