/** A scalar function at one point. */
export interface Evaluation {
  readonly value: number;
  /** A number for which side of every kink the point lies on, the "winners" of each max(x, y): if two points have the same
   *  one, no kink lies between them. */
  readonly winners: number;
}

/** A scalar function along a line: t ↦ f(w + t u). */
export type Line = (t: number) => Promise<Evaluation>;

/** The derivative of a function along a line, as claimed and as measured. */
export interface Slope {
  /** u·∇f, from backpropagation. */
  readonly analytic: number;
  /** From central differences D(h) = (f(w + h u) − f(w − h u))/2h: (4 D(h/2) − D(h))/3, whose truncation error falls with
   *  h⁴ where that of D falls with h² (Richardson's extrapolation). */
  readonly numeric: number;
  /** |analytic − numeric| / max(|analytic|, |numeric|), less what rounding can account for where that matters; Infinity
   *  where one of the two is no number. */
  readonly error: number;
  /** Whether that says anything: not if f has a kink within the smallest step, nor if the slope is lost in rounding. */
  readonly outcome: 'compared' | 'kink' | 'rounding';
}

/** What is known of f where its slopes are measured. */
export interface Ground extends Evaluation {
  /** Standard deviation of the rounding error of f. */
  readonly noise: number;
}

/** Steps h, in the order in which they are tried. Rounding grows with 1/h; a smaller step meets fewer kinks. */
const STEPS = [1e-3, 1e-4, 1e-5, 1e-6, 1e-7] as const;
/** A smaller error than this needs no other step. "1e-7 and less you should be happy." */
export const HAPPY = 1e-7;
/** A slope that rounding hides to more than this part of it is not compared. */
const LOST = 1e-4;
/** How much of the numeric derivative rounding can account for, in standard deviations of f's rounding error over h: four
 *  of 4/3 (e₁ − e₂) − 1/6 (e₃ − e₄). */
const NOISE_MARGIN = 7.6;
/** How far apart the points are at which the noise is measured: f is a straight line there. */
const NOISE_STEP = 1e-7;

/** Measures the slope of a line at 0 with the step that can tell most, and compares it with the analytic one. A step across
 *  a kink tells nothing.
 *
 *  Source: CS231n notes, "Neural Networks 3" (gradient checks: relative error, kinks, step size); L. F. Richardson, "The
 *  Deferred Approach to the Limit" (1927). */
export async function measureSlope(line: Line, analytic: number, { winners, noise }: Ground): Promise<Slope> {
  let best: Comparison | undefined;
  let numeric = Number.NaN;
  for (const step of STEPS) {
    const [far, near] = [await differenceAt(line, step), await differenceAt(line, step / 2)];
    numeric = (4 * near.slope - far.slope) / 3;
    if ([...far.winners, ...near.winners].some((there) => there !== winners)) continue;
    const slope = compare(analytic, numeric, (NOISE_MARGIN * noise) / step);
    if (!best || slope.bound < best.bound) best = slope;
    // Within rounding, smaller steps only know less.
    if (best.bound <= HAPPY || best.isWithinRounding) break;
  }
  if (!best) return { analytic, numeric, error: 0, outcome: 'kink' };
  const { analytic: claimed, error, outcome } = best;
  return { analytic: claimed, numeric: best.numeric, error, outcome };
}

/** A slope as one step saw it. */
interface Comparison extends Slope {
  /** The error with all that rounding can hide: what the step can vouch for. */
  readonly bound: number;
  readonly isWithinRounding: boolean;
}

async function differenceAt(line: Line, h: number): Promise<{ slope: number; winners: readonly number[] }> {
  const [above, below] = [await line(h), await line(-h)];
  return { slope: (above.value - below.value) / (2 * h), winners: [above.winners, below.winners] };
}

/** @param rounding what of the distance between the two rounding can account for. */
function compare(analytic: number, numeric: number, rounding: number): Comparison {
  const distance = Math.abs(analytic - numeric);
  const size = Math.max(Math.abs(analytic), Math.abs(numeric));
  const isWithinRounding = distance <= rounding;
  if (!Number.isFinite(distance)) {
    return { analytic, numeric, error: Infinity, outcome: 'compared', bound: Infinity, isWithinRounding };
  }
  const isExact = rounding <= HAPPY * size;
  const excess = isExact ? distance : Math.max(0, distance - rounding);
  // Two zeros agree.
  const error = excess === 0 ? 0 : excess / size;
  const outcome = error > 0 || rounding <= LOST * size || analytic === 0 ? 'compared' : 'rounding';
  return { analytic, numeric, error, outcome, bound: (distance + rounding) / size, isWithinRounding };
}

/** Measures the rounding error of f by its values on a line, to one side of w, which may lie on a kink: over so short a way
 *  f is straight, so its third differences are noise, of 20 times its variance.
 *  Source: R. W. Hamming, "Introduction to Applied Numerical Analysis" (1971); J. Moré and S. Wild, "Estimating
 *  Computational Noise" (2011). */
export async function surveyGround(line: Line): Promise<Ground> {
  const { value, winners } = await line(0);
  const values: number[] = [];
  for (let i = 1; i <= 7; i++) values.push((await line(i * NOISE_STEP)).value);
  let differences = values;
  for (let order = 0; order < 3; order++) differences = differences.slice(1).map((next, i) => next - differences[i]);
  const variance = differences.reduce((sum, difference) => sum + difference * difference, 0) / differences.length / 20;
  // Where all values round to the same number, the noise is below the last bit.
  return { value, winners, noise: Math.max(Math.sqrt(variance), Number.EPSILON * Math.abs(value)) };
}
