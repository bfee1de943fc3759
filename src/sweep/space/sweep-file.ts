import { inspect } from 'node:util';
import type { Config } from '../../config/config.ts';
import { isObject } from '../../documents/schema.ts';
import { parseYaml } from '../../documents/yaml.ts';
import { UsageError } from '../../errors.ts';
import { GOALS, METRICS, type MetricName } from '../plan/definition.ts';
import { METHODS, type Method } from '../samplers/sampler.ts';
import { readParameters } from './file-parameters.ts';
import type { Space } from './space.ts';

/** What a sweep file says; what it leaves out is undefined. */
export interface SweepFile {
  readonly method?: Method;
  readonly metric?: { readonly name: MetricName; readonly goal: (typeof GOALS)[MetricName] };
  readonly space: Space;
  /** Fields that have the same value in all trials. */
  readonly base: Partial<Config>;
  /** One of eta trials goes on when they are compared, first after `minEpochs`. */
  readonly halving?: { readonly eta: number; readonly minEpochs?: number };
  readonly trials?: number;
  readonly seed?: number;
}

/** Parses a sweep file: YAML in the words of the sweeps of Weights & Biases, or with parameters as `parseParameter` reads them.
 *  @throws ReadError as `parseYaml` does. UsageError for an unknown key or a value that means nothing here, naming the key. */
export async function parseSweepFile(bytes: Uint8Array): Promise<SweepFile> {
  const file = expectKeys('the file', await parseYaml(bytes), Object.keys(KEYS));
  const parts = Object.entries(file).map(([key, value]) => KEYS[key as keyof typeof KEYS](value));
  return Object.assign({ space: [], base: {} }, ...parts);
}

/** What each key of the file says. */
const KEYS: Readonly<Record<string, (value: unknown) => Partial<SweepFile>>> = {
  method: (value) => ({ method: expectOneOf('method', value, METHODS) }),
  metric: readMetric,
  parameters: (value) => readParameters(expectKeys('parameters', value)),
  early_terminate: readEarlyTerminate,
  run_cap: (value) => ({ trials: expectInteger('run_cap', value, 1) }),
  seed: (value) => ({ seed: expectInteger('seed', value, 0) }),
};

function readMetric(value: unknown): Partial<SweepFile> {
  const metric = expectKeys('metric', value, ['name', 'goal']);
  const name = expectOneOf('metric.name', metric.name, METRICS);
  const goal = GOALS[name];
  if (metric.goal !== undefined && expectOneOf('metric.goal', metric.goal, Object.values(GOALS)) !== goal) {
    throw new UsageError(`metric.goal is ${metric.goal}, but a sweep can only ${goal} ${name}; leave metric.goal out`);
  }
  return { metric: { name, goal } };
}

function readEarlyTerminate(value: unknown): Partial<SweepFile> {
  const { type, eta, min_iter } = expectKeys('early_terminate', value, ['type', 'eta', 'min_iter']);
  expectOneOf('early_terminate.type', type, ['hyperband']);
  const minEpochs = min_iter === undefined ? {} : { minEpochs: expectInteger('early_terminate.min_iter', min_iter, 1) };
  return { halving: { eta: eta === undefined ? 3 : expectInteger('early_terminate.eta', eta, 2), ...minEpochs } };
}

/** @param known undefined accepts all keys. */
function expectKeys(where: string, value: unknown, known?: readonly string[]): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw new UsageError(`${where} must hold keys with values, got ${shown(value)}`);
  const [unknown] = Object.keys(value).filter((key) => known?.includes(key) === false);
  if (unknown === undefined) return value as Readonly<Record<string, unknown>>;
  throw new UsageError(`${where} has an unknown key ${unknown}; the keys are ${known!.join(', ')}`);
}

function expectOneOf<const T extends string>(key: string, value: unknown, choices: readonly T[]): T {
  if (choices.includes(value as T)) return value as T;
  throw new UsageError(
    `${key} must be ${choices.length > 1 ? 'one of ' : ''}${choices.join(', ')}, got ${shown(value)}`,
  );
}

function expectInteger(key: string, value: unknown, min: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= min) return value as number;
  throw new UsageError(`${key} must be an integer ≥ ${min}, got ${shown(value)}`);
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  return typeof value === 'string' ? value : inspect(value, { depth: 0, breakLength: Infinity });
}
