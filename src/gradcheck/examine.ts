import type { Random } from '../random.ts';
import { type Evaluation, type Ground, type Line, measureSlope, type Slope, surveyGround } from './slope.ts';

/** A scalar function of one tensor, and what is claimed to be its gradient at a point. Arrays are in row-major order. */
export interface Claim {
  readonly point: Float64Array;
  readonly gradient: Float64Array;
  /** The function at another point; it keeps nothing of the array. */
  evaluate(point: Float64Array): Promise<Evaluation>;
}

export interface CoordinateSlope extends Slope {
  readonly index: number;
}

/** How a claim stood up to central differences. */
export interface Examination {
  /** The worst of the directions: the gradient's own, and random ones. Null if none could be compared. */
  readonly direction: Slope | null;
  /** The worst of the coordinates. Null if none could be compared. */
  readonly coordinate: CoordinateSlope | null;
  /** How many directions and coordinates were compared. */
  readonly compared: number;
  /** How many more were left out because f has a kink there. */
  readonly kinks: number;
  /** The greatest |∂f/∂w|, as claimed. */
  readonly largest: number;
}

export interface ExamineOptions {
  /** Directions in which the whole gradient is checked; each moves every coordinate. */
  readonly directions: number;
  /** Coordinates that are checked one by one: those with the largest gradients, and random ones. */
  readonly coordinates: number;
  readonly random: Random;
  /** Called after each evaluation of the function; what it throws ends the examination. */
  readonly onEvaluation?: (() => Promise<void>) | undefined;
}

/** Of the coordinates, the share that is taken for its large gradients. */
const LARGEST_SHARE = 0.25;

/** The step of the search for a wrong coordinate: large, because among many coordinates one is easily lost in rounding. */
const LOCATING_STEP = 1e-3;

/** Compares a claimed gradient with central differences: along whole directions, which feel every coordinate at once, and
 *  along single coordinates, each of which stands for itself. */
export async function examine(claim: Claim, options: ExamineOptions): Promise<Examination> {
  const watched = { ...claim, evaluate: watch(claim, options) };
  const ground = await surveyGround(lineAlong(watched, unitDirection(claim.point.length, options.random)));
  const directions: Slope[] = [];
  for (const direction of chooseDirections(claim, options)) {
    directions.push(await measureSlope(lineAlong(watched, direction), dot(direction, claim.gradient), ground));
  }
  const coordinates: CoordinateSlope[] = [];
  for (const index of chooseCoordinates(claim, options)) {
    coordinates.push(await measureCoordinate(watched, index, ground));
  }
  const all = [...directions, ...coordinates];
  const count = (wanted: Slope['outcome']) => all.filter(({ outcome }) => outcome === wanted).length;
  const largest = claim.gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return {
    direction: worst(directions),
    coordinate: worst(coordinates),
    compared: count('compared'),
    kinks: count('kink'),
    largest,
  };
}

/** Finds a coordinate at which a claim is wrong: halves the coordinates again and again, and goes on with the half whose
 *  claimed and measured slopes lie farther apart. One wrong coordinate among a million takes twenty halvings. */
export async function locate(claim: Claim, options: ExamineOptions): Promise<CoordinateSlope> {
  const watched = { ...claim, evaluate: watch(claim, options) };
  const direction = unitDirection(claim.point.length, options.random);
  const ground = await surveyGround(lineAlong(watched, direction));
  const gap = async (from: number, to: number): Promise<number> => {
    const part = new Float64Array(direction.length);
    part.set(direction.subarray(from, to), from);
    const h = LOCATING_STEP / norm(part);
    const along = lineAlong(watched, part);
    return Math.abs(dot(part, claim.gradient) - ((await along(h)).value - (await along(-h)).value) / (2 * h));
  };
  let [from, to] = [0, direction.length];
  while (to - from > 1) {
    const middle = (from + to) >>> 1;
    if ((await gap(from, middle)) >= (await gap(middle, to))) to = middle;
    else from = middle;
  }
  return measureCoordinate(watched, from, ground);
}

function watch({ evaluate }: Claim, { onEvaluation }: ExamineOptions): Claim['evaluate'] {
  return async (point) => {
    const result = await evaluate(point);
    await onEvaluation?.();
    return result;
  };
}

async function measureCoordinate(claim: Claim, index: number, ground: Ground): Promise<CoordinateSlope> {
  const { point } = claim;
  const moved = point.slice();
  const line: Line = (t) => {
    moved[index] = point[index] + t;
    return claim.evaluate(moved);
  };
  return { index, ...(await measureSlope(line, claim.gradient[index], ground)) };
}

function lineAlong({ point, evaluate }: Claim, direction: Float64Array): Line {
  const moved = new Float64Array(point.length);
  return (t) => {
    for (let i = 0; i < moved.length; i++) moved[i] = point[i] + t * direction[i];
    return evaluate(moved);
  };
}

/** The direction of the gradient, in which rounding matters least, and random ones. */
function* chooseDirections({ gradient }: Claim, { directions, random }: ExamineOptions): Generator<Float64Array> {
  const length = norm(gradient);
  const hasDirection = Number.isFinite(length) && length > 0;
  if (hasDirection) yield gradient.map((value) => value / length);
  for (let i = hasDirection ? 1 : 0; i < directions; i++) yield unitDirection(gradient.length, random);
}

function chooseCoordinates({ gradient }: Claim, { coordinates, random }: ExamineOptions): number[] {
  if (gradient.length <= coordinates) return [...gradient.keys()];
  const chosen = new Set(indicesOfLargest(gradient, Math.round(LARGEST_SHARE * coordinates)));
  while (chosen.size < coordinates) chosen.add(random.integer(gradient.length));
  return [...chosen];
}

/** Where |values| is largest. A NaN counts as larger than all. */
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
