import type { Config } from '../../config/config.ts';
import { effectiveConfig, resolveConfig } from '../../config/resolve.ts';
import type { Dimension, Point } from '../samplers/sampler.ts';

export type Value = string | number | boolean;

/** A hyperparameter that a sweep varies, and its values. It is plain JSON. */
export type Parameter = Choice | Range;

export interface Choice {
  readonly field: keyof Config;
  readonly kind: 'choice';
  readonly values: readonly Value[];
}

export interface Range {
  readonly field: keyof Config;
  readonly kind: 'range';
  readonly min: number;
  readonly max: number;
  /** Whether its logarithm is uniform. */
  readonly log: boolean;
  /** The values are min, min + step, …, max; null if they are all numbers from min to max. */
  readonly step: number | null;
}

/** Parameters of different fields. parse-space.ts reads and checks them. */
export type Space = readonly Parameter[];

/** Largest coordinate: 1 is not one of them. */
const LAST = 1 - Number.EPSILON;

/** The dimensions of a space, in its order. */
export function dimensionsOf(space: Space): Dimension[] {
  return space.map((parameter) => {
    if (parameter.kind === 'choice') return { levels: parameter.values.length, isOrdered: isOrdered(parameter) };
    const { min, max, log, step } = parameter;
    return { levels: step === null || log ? Infinity : (max - min) / step + 1, isOrdered: true };
  });
}

/** Neighbouring numbers of a sorted list are similar, except for seeds. */
function isOrdered({ field, values }: Choice): boolean {
  const sorted = values.filter((value) => typeof value === 'number').sort((a, b) => a - b);
  return field !== 'seed' && sorted.length === values.length && values.every((value, i) => value === sorted[i]);
}

/** The value of each searched field at a point: of a list, each value has the same share of the coordinates, and of a range
 *  of integers, too; of a logarithmic one, n has the logarithms from log(n − ½) to log(n + ½). Other numbers are rounded to
 *  four significant digits, or to more in a narrow range, and never leave it. */
export function valuesAt(space: Space, point: Point): Partial<Config> {
  return Object.fromEntries(space.map((parameter, i) => [parameter.field, valueAt(parameter, point[i])]));
}

function valueAt(parameter: Parameter, coordinate: number): Value {
  if (parameter.kind === 'choice') return parameter.values[levelAt(coordinate, parameter.values.length)];
  const { min, max, log, step } = parameter;
  if (step !== null && !log) return min + step * levelAt(coordinate, (max - min) / step + 1);
  const [low, high] = endsOf(parameter);
  const scaled = low + coordinate * (high - low);
  const value = log ? Math.exp(scaled) : scaled;
  return clamp(step === null ? rounded(value, parameter) : min + step * Math.round((value - min) / step), min, max);
}

/** Which of n equal parts of [0, 1) a coordinate is in, counted from 0. */
function levelAt(coordinate: number, n: number): number {
  return Math.min(Math.floor(coordinate * n), n - 1);
}

/** Ends of the scale on which a range that is not of evenly spaced integers is uniform. */
function endsOf({ min, max, log, step }: Range): [low: number, high: number] {
  const margin = (step ?? 0) / 2;
  return log ? [Math.log(min - margin), Math.log(max + margin)] : [min, max];
}

/** Few digits keep commands readable; a range has a hundred values or more nevertheless. */
function rounded(value: number, { min, max }: Range): number {
  let digits = 4;
  for (let unit = Math.max(Math.abs(min), Math.abs(max)) / 1000; unit > (max - min) / 100 && digits < 17; unit /= 10)
    digits++;
  return Number(value.toPrecision(digits));
}

/** The point of a configuration, each coordinate in the middle of those that stand for the value. A value outside the space
 *  becomes the nearest in it: a number the nearest one, a word the first of its list. */
export function pointOf(space: Space, config: Config): Point {
  return space.map((parameter) => coordinateOf(parameter, config[parameter.field]));
}

function coordinateOf(parameter: Parameter, value: unknown): number {
  if (parameter.kind === 'choice') return (nearest(parameter.values, value) + 0.5) / parameter.values.length;
  const { min, max, log, step } = parameter;
  const inside = clamp(Number(value), min, max);
  if (step !== null && !log) return (Math.round((inside - min) / step) + 0.5) / ((max - min) / step + 1);
  const [low, high] = endsOf(parameter);
  return clamp(((log ? Math.log(inside) : inside) - low) / (high - low), 0, LAST);
}

/** Index of the value that is the same or, of numbers, closest; 0 for an unknown word. */
function nearest(values: readonly Value[], value: unknown): number {
  const distances = values.map((one) => Math.abs(Number(one) - Number(value)));
  const index = values.indexOf(value as Value);
  return index >= 0 ? index : Math.max(0, distances.indexOf(Math.min(...distances)));
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}

/** The configuration that a trial trains: that of its point, where fields without effect have their defaults.
 *  @param base fields that all trials share.
 *  @throws UsageError as `resolveConfig` does, for an invalid `base`. */
export function configAt(base: Partial<Config>, space: Space, point: Point): Config {
  return resolveConfig(effectiveConfig({ ...base, ...valuesAt(space, point) }));
}

/** Smallest and largest value of a range, or the values of a list, as a text that `parseParameter` reads. */
export function inWords(parameter: Parameter): string {
  if (parameter.kind === 'choice') return parameter.values.join(',');
  return `${parameter.min}..${parameter.max}${parameter.log ? ':log' : ''}`;
}
