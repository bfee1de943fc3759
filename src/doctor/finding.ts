import * as format from '../format.ts';
import type { Message } from '../message.ts';

/** ok: as expected. warning: worth a look. bad: training on this is wrong or a waste of time. */
export type Verdict = 'ok' | 'warning' | 'bad';

/** Result of one check. */
export interface Finding {
  readonly name: string;
  readonly verdict: Verdict;
  /** The measurement, in one sentence. */
  readonly evidence: string;
  /** What to do next; null if the verdict is ok. */
  readonly advice: string | Message | null;
  readonly numbers: Readonly<Record<string, number | string | null | readonly number[]>>;
}

/** Formats to one decimal: the doctor's measurements are rough. */
export function percent(share: number): string {
  return format.percent(share, 1);
}

/** At most four digits. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const short = Number(value.toPrecision(4));
  const size = Math.abs(short);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? short.toExponential() : String(short);
}

/** Returns NaN if there are no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle - 0.5)] + sorted[Math.floor(middle)]) / 2;
}
