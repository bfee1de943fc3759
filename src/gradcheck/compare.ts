import type { Random } from '../random.ts';
import { type BasePoint, type Evaluation, type Line, measureBasePoint, measureSlope, type Slope } from './slope.ts';

/** A scalar function of one tensor, and the gradient that backpropagation gives at a point. Arrays are in row-major
 *  order. */
export interface GradientUnderTest {
  readonly point: Float64Array;
  readonly gradient: Float64Array;
  /** Evaluates the function at another point; does not keep the array. */
  evaluate(point: Float64Array): Promise<Evaluation>;
}

export interface CoordinateSlope extends Slope {
  readonly index: number;
}

/** A gradient compared with central differences. */
export interface GradientComparison {
  /** The direction with the largest error: the gradient's own, or a random one. Null if none could be compared. */
  readonly direction: Slope | null;
  /** The coordinate with the largest error. Null if none could be compared. */
  readonly coordinate: CoordinateSlope | null;
  /** Number of directions and coordinates that were compared. */
  readonly compared: number;
  /** Number of those left out because f has a kink there. */
  readonly kinks: number;
  /** The largest |∂f/∂w| of the gradient under test. */
  readonly largest: number;
}

export interface CompareOptions {
  /** Directions along which the whole gradient is checked; each moves every coordinate. */
  readonly directions: number;
  /** Coordinates that are checked one by one: those with the largest gradients, and random ones. */
  readonly coordinates: number;
  readonly random: Random;
  /** Called after each evaluation of the function; an error that it throws ends the comparison. */
  readonly onEvaluation?: (() => Promise<void>) | undefined;
}

/** Share of the coordinates that are chosen for their large gradients. */
const LARGEST_SHARE = 0.25;

/** Step of the search for a wrong coordinate: large, because a single coordinate among many is easily lost in rounding. */
const SEARCH_STEP = 1e-3;

/** Compares a gradient with central differences: along whole directions, which depend on every coordinate at once, and
 *  along single coordinates. */
export async function compareWithDifferences(
  gradient: GradientUnderTest,
  options: CompareOptions,
): Promise<GradientComparison> {
  const observed = withCallback(gradient, options);
  const base = await measureBasePoint(lineAlong(observed, unitDirection(gradient.point.length, options.random)));
  const directions: Slope[] = [];
  for (const direction of chooseDirections(gradient, options)) {
    directions.push(await measureSlope(lineAlong(observed, direction), dot(direction, gradient.gradient), base));
  }
  const coordinates: CoordinateSlope[] = [];
  for (const index of chooseCoordinates(gradient, options)) {
    coordinates.push(await measureCoordinate(observed, index, base));
  }
  const all = [...directions, ...coordinates];
  const count = (wanted: Slope['outcome']) => all.filter(({ outcome }) => outcome === wanted).length;
  const largest = gradient.gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return {
    direction: worst(directions),
    coordinate: worst(coordinates),
    compared: count('compared'),
    kinks: count('kink'),
    largest,
  };
}

/** Finds a coordinate at which a gradient is wrong by bisection: always continues with the half whose analytic and
 *  numeric slopes differ more. One wrong coordinate among a million takes twenty halvings. */
export async function findWrongCoordinate(
  gradient: GradientUnderTest,
  options: CompareOptions,
): Promise<CoordinateSlope> {
  const observed = withCallback(gradient, options);
  const direction = unitDirection(gradient.point.length, options.random);
  const base = await measureBasePoint(lineAlong(observed, direction));
  const gap = async (from: number, to: number): Promise<number> => {
    const part = new Float64Array(direction.length);
    part.set(direction.subarray(from, to), from);
    const h = SEARCH_STEP / norm(part);
    const line = lineAlong(observed, part);
    return Math.abs(dot(part, gradient.gradient) - ((await line(h)).value - (await line(-h)).value) / (2 * h));
  };
  let [from, to] = [0, direction.length];
  while (to - from > 1) {
    const middle = (from + to) >>> 1;
    if ((await gap(from, middle)) >= (await gap(middle, to))) to = middle;
    else from = middle;
  }
  return measureCoordinate(observed, from, base);
}

function withCallback(gradient: GradientUnderTest, { onEvaluation }: CompareOptions): GradientUnderTest {
  const evaluate: GradientUnderTest['evaluate'] = async (point) => {
    const result = await gradient.evaluate(point);
    await onEvaluation?.();
    return result;
  };
  return { ...gradient, evaluate };
}

async function measureCoordinate(
  { point, gradient, evaluate }: GradientUnderTest,
  index: number,
  base: BasePoint,
): Promise<CoordinateSlope> {
  const moved = point.slice();
  const line: Line = (t) => {
    moved[index] = point[index] + t;
    return evaluate(moved);
  };
  return { index, ...(await measureSlope(line, gradient[index], base)) };
}

function lineAlong({ point, evaluate }: GradientUnderTest, direction: Float64Array): Line {
  const moved = new Float64Array(point.length);
  return (t) => {
    for (let i = 0; i < moved.length; i++) moved[i] = point[i] + t * direction[i];
    return evaluate(moved);
  };
}

/** The direction of the gradient, along which rounding matters least, and random ones. */
function* chooseDirections(
  { gradient }: GradientUnderTest,
  { directions, random }: CompareOptions,
): Generator<Float64Array> {
  const length = norm(gradient);
  const hasDirection = Number.isFinite(length) && length > 0;
  if (hasDirection) yield gradient.map((value) => value / length);
  for (let i = hasDirection ? 1 : 0; i < directions; i++) yield unitDirection(gradient.length, random);
}

function chooseCoordinates({ gradient }: GradientUnderTest, { coordinates, random }: CompareOptions): number[] {
  if (gradient.length <= coordinates) return [...gradient.keys()];
  const chosen = new Set(indicesOfLargest(gradient, Math.round(LARGEST_SHARE * coordinates)));
  while (chosen.size < coordinates) chosen.add(random.integer(gradient.length));
  return [...chosen];
}

/** Indices of the largest |values|. A NaN counts as larger than any number. */
function indicesOfLargest(values: Float64Array, count: number): number[] {
  const size = (i: number) => (Number.isNaN(values[i]) ? Infinity : Math.abs(values[i]));
  const largest: number[] = [];
  for (let i = 0; i < values.length; i++) {
    if (largest.length === count && size(i) <= size(largest[count - 1])) continue;
    largest.push(i);
    largest.sort((a, b) => size(b) - size(a));
    if (largest.length > count) largest.pop();
  }
  return largest;
}

/** A uniformly random direction of length 1. */
function unitDirection(length: number, random: Random): Float64Array {
  const direction = new Float64Array(length);
  for (let i = 0; i < length; i++) direction[i] = random.normal();
  const scale = 1 / norm(direction);
  return direction.map((value) => scale * value);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function norm(values: Float64Array): number {
  return Math.sqrt(dot(values, values));
}

function worst<S extends Slope>(slopes: readonly S[]): S | null {
  const compared = slopes.filter(({ outcome }) => outcome === 'compared');
  return compared.length === 0 ? null : compared.reduce((a, b) => (b.error > a.error ? b : a));
}
