import type { Distribution } from './network-data.ts';

type Values = Float32Array | Float64Array;

const BINS = 32;
/** Share of the numbers that lie outside of the bins at each side, so that a few of them do not squeeze all others. */
const OUTSIDE = 0.005;
/** Numbers that decide where the bins begin and end. */
const SAMPLE = 50_000;

/** Describes the numbers of a tensor. The histogram leaves out zeros, which would dwarf all else behind a ReLU. */
export function distributionOf(values: Values): Distribution {
  let [min, max, sum, zeros] = [Infinity, -Infinity, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    if (value === 0) zeros++;
  }
  const histogram = histogramOf(values, ...rangeOf(values));
  const inside = histogram.counts.reduce((total, count) => total + count, 0);
  return {
    min,
    max,
    mean: sum / values.length,
    zeroShare: zeros / values.length,
    outsideShare: (values.length - zeros - inside) / values.length,
    ...histogram,
  };
}

/** The range of nearly all numbers other than 0, extended to 0: of all of them, or of a sample of a large tensor. */
function rangeOf(values: Values): [low: number, high: number] {
  const step = Math.ceil(values.length / SAMPLE);
  const sample: number[] = [];
  for (let i = 0; i < values.length; i += step) if (values[i] !== 0) sample.push(values[i]);
  if (sample.length === 0) return [0, 0];
  const sorted = Float64Array.from(sample).sort();
  const last = sorted.length - 1;
  return [Math.min(0, sorted[Math.floor(OUTSIDE * last)]), Math.max(0, sorted[Math.ceil((1 - OUTSIDE) * last)])];
}

/** Counts numbers other than 0 in bins of equal width from about `low` to about `high`, with 0 at a border. */
function histogramOf(values: Values, low: number, high: number): Pick<Distribution, 'from' | 'to' | 'counts'> {
  if (low === high) return { from: 0, to: 0, counts: [] };
  const width = (high - low) / BINS;
  const [below, above] = [Math.ceil(-low / width), Math.ceil(high / width)];
  const counts = Array<number>(below + above).fill(0);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === 0) continue;
    const bin = value === high ? counts.length - 1 : Math.floor(value / width) + below;
    if (bin >= 0 && bin < counts.length) counts[bin]++;
  }
  return { from: -below * width, to: above * width, counts };
}
