/** A scalar function evaluated at one point. */
export interface Evaluation {
  readonly value: number;
  /** Hash of the side of every kink that the point lies on (the "winners" of each max(x, y)). Two points with the same
   *  hash have no kink between them. */
  readonly kinkSides: number;
}

/** A scalar function along a line: t ↦ f(w + t u). */
export type Line = (t: number) => Promise<Evaluation>;

/** Analytic and numeric derivative of a function along a line. */
export interface Slope {
  /** u·∇f, from backpropagation. */
  readonly analytic: number;
  /** (4 D(h/2) − D(h))/3 of the central differences D(h) = (f(w + h u) − f(w − h u))/2h. The truncation error falls
   *  with h⁴, where that of D falls with h² (Richardson's extrapolation). */
  readonly numeric: number;
  /** |analytic − numeric| / max(|analytic|, |numeric|). If rounding could matter, what rounding can explain is
   *  subtracted from the difference. Infinity if either slope is NaN or infinite. */
  readonly error: number;
  /** Only `compared` slopes mean anything. `kink`: f has a kink within the smallest step. `rounding`: the slope is lost
   *  in rounding errors. */
  readonly outcome: 'compared' | 'kink' | 'rounding';
}

/** The point at which slopes are measured. */
export interface BasePoint extends Evaluation {
  /** Standard deviation of the rounding error of f. */
  readonly noise: number;
}

/** Steps h, in the order in which they are tried. A smaller step crosses fewer kinks, but its rounding error grows with
 *  1/h. */
const STEPS = [1e-3, 1e-4, 1e-5, 1e-6, 1e-7] as const;
/** A relative error of at most this passes without another step. "1e-7 and less you should be happy." */
export const PASS_ERROR = 1e-7;
/** A slope is not compared if rounding may change it by more than this share. */
const MAX_ROUNDING_SHARE = 1e-4;
/** Bound on the rounding error of the numeric derivative, in units of noise/h: four standard deviations of
 *  4/3 (e₁ − e₂) − 1/6 (e₃ − e₄). */
const NOISE_MARGIN = 7.6;
/** Distance between the points at which the noise is measured: short enough for f to be a straight line. */
const NOISE_STEP = 1e-7;

/** Measures the slope of a line at 0 and compares it with the analytic one, at the step with the tightest error bound.
 *  Steps that cross a kink are skipped.
 *
 *  Source: CS231n notes, "Neural Networks 3" (gradient checks: relative error, kinks, step size); L. F. Richardson,
 *  "The Deferred Approach to the Limit" (1927). */
export async function measureSlope(line: Line, analytic: number, { kinkSides, noise }: BasePoint): Promise<Slope> {
  let best: Measurement | undefined;
  let numeric = Number.NaN;
  for (const step of STEPS) {
    const [far, near] = [await differenceAt(line, step), await differenceAt(line, step / 2)];
    numeric = (4 * near.slope - far.slope) / 3;
    if ([...far.kinkSides, ...near.kinkSides].some((sides) => sides !== kinkSides)) continue;
    const measurement = compare(analytic, numeric, (NOISE_MARGIN * noise) / step);
    if (!best || measurement.bound < best.bound) best = measurement;
    // Once the difference is within rounding, smaller steps only add noise.
    if (best.bound <= PASS_ERROR || best.isWithinRounding) break;
  }
  if (!best) return { analytic, numeric, error: 0, outcome: 'kink' };
  const { error, outcome } = best;
  return { analytic, numeric: best.numeric, error, outcome };
}

/** A slope measured with one step. */
interface Measurement extends Slope {
  /** Upper bound on the relative error: the difference plus everything that rounding can hide. */
  readonly bound: number;
  readonly isWithinRounding: boolean;
}

async function differenceAt(line: Line, h: number): Promise<{ slope: number; kinkSides: readonly number[] }> {
  const [above, below] = [await line(h), await line(-h)];
  return { slope: (above.value - below.value) / (2 * h), kinkSides: [above.kinkSides, below.kinkSides] };
}

/** @param rounding bound on the rounding error of `numeric`. */
function compare(analytic: number, numeric: number, rounding: number): Measurement {
  const distance = Math.abs(analytic - numeric);
  const size = Math.max(Math.abs(analytic), Math.abs(numeric));
  const isWithinRounding = distance <= rounding;
  if (!Number.isFinite(distance)) {
    return { analytic, numeric, error: Infinity, outcome: 'compared', bound: Infinity, isWithinRounding };
  }
  const isExact = rounding <= PASS_ERROR * size;
  const excess = isExact ? distance : Math.max(0, distance - rounding);
  // Two zeros agree.
  const error = excess === 0 ? 0 : excess / size;
  const outcome = error > 0 || rounding <= MAX_ROUNDING_SHARE * size || analytic === 0 ? 'compared' : 'rounding';
  return { analytic, numeric, error, outcome, bound: (distance + rounding) / size, isWithinRounding };
}

/** Evaluates f at the base point and estimates its rounding error from values along a line. They lie on one side of w,
 *  because w itself may be on a kink. Over so short a distance f is straight, so the third differences are noise, of 20
 *  times its variance.
 *  Source: R. W. Hamming, "Introduction to Applied Numerical Analysis" (1971); J. Moré and S. Wild, "Estimating
 *  Computational Noise" (2011). */
export async function measureBasePoint(line: Line): Promise<BasePoint> {
  const { value, kinkSides } = await line(0);
  const values: number[] = [];
  for (let i = 1; i <= 7; i++) values.push((await line(i * NOISE_STEP)).value);
  let differences = values;
  for (let order = 0; order < 3; order++) differences = differences.slice(1).map((next, i) => next - differences[i]);
  const variance = differences.reduce((sum, difference) => sum + difference * difference, 0) / differences.length / 20;
  // If all values round to the same number, the noise is below the last bit.
  return { value, kinkSides, noise: Math.max(Math.sqrt(variance), Number.EPSILON * Math.abs(value)) };
}
