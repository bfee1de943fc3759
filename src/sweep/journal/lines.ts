import * as v from 'valibot';
import { count, finite, imageCounts, isObject, ordinal, sha256 } from '../../documents/schema.ts';
import { METRICS as METRIC_VALUES } from '../../training/schemas.ts';
import { METRICS } from '../plan/definition.ts';
import { METHODS } from '../samplers/sampler.ts';
import type { Space } from '../space/space.ts';

// The lines of a journal, as they are written and read again.

/** The version of the journal's format. */
export const JOURNAL_VERSION = 1;

export const SWEEP = v.pipe(
  v.object({
    type: v.literal('sweep'),
    version: v.literal(JOURNAL_VERSION),
    base: v.custom<Readonly<Record<string, unknown>>>(isObject, 'an object'),
    /** Decoded by `decodeSpace`. */
    space: v.custom<Space>(Array.isArray, 'an array'),
    method: v.picklist(METHODS),
    seed: count,
    /** Results of the last trials that a proposal does not use; null if it uses none. */
    lag: v.nullable(count),
    metric: v.picklist(METRICS),
    halving: v.nullable(v.pipe(ordinal, v.minValue(2, 'an integer ≥ 2'))),
    rungs: v.pipe(v.array(ordinal), v.minLength(1, 'at least one number'), v.readonly()),
    trials: ordinal,
    seeds: ordinal,
    dataset: v.object({
      name: v.picklist(['cifar10', 'synthetic']),
      source: v.string(),
      sha256,
      images: imageCounts,
    }),
    nnTrain: v.string(),
  }),
  v.readonly(),
);

/** A sweep that was extended. */
const EXTENDED = v.pipe(v.object({ type: v.literal('extended'), trials: ordinal, seeds: ordinal }), v.readonly());

const JOB_FIELDS = {
  /** Counted from 0. */
  trial: count,
  rung: count,
  seed: count,
};

const CURVE = v.array(
  v.pipe(v.object({ epoch: ordinal, train: METRIC_VALUES, validation: v.nullable(METRIC_VALUES) }), v.readonly()),
);

const RESULT_FIELDS = {
  ...JOB_FIELDS,
  type: v.literal('result'),
  /** The hyperparameters that have an effect. */
  config: v.custom<Readonly<Record<string, string | number | boolean | null>>>(isObject, 'an object'),
  /** Epochs trained, from the first. */
  epochs: count,
  /** The epochs of this rung. */
  curve: CURVE,
  /** Of training, and of its validation. */
  seconds: v.pipe(finite, v.minValue(0, 'a number ≥ 0')),
  /** Who computed it. */
  worker: v.string(),
};

const RESULT = v.variant('status', [
  v.object({
    ...RESULT_FIELDS,
    status: v.literal('finished'),
    train: METRIC_VALUES,
    validation: METRIC_VALUES,
    /** SHA-256 of parameters, state of the optimiser and progress. */
    weights: sha256,
  }),
  v.object({ ...RESULT_FIELDS, status: v.literal('diverged'), message: v.string() }),
]);

const FAILED = v.object({
  ...JOB_FIELDS,
  type: v.literal('failed'),
  /** Counted from 1. */
  attempt: ordinal,
  error: v.string(),
  worker: v.string(),
});

const ENDED = v.object({
  type: v.literal('ended'),
  trials: ordinal,
  ranking: v.array(
    v.pipe(
      v.object({ trial: count, rung: count, mean: v.nullable(finite), deviation: v.nullable(finite), seeds: count }),
      v.readonly(),
    ),
  ),
  /** Null if no trial has a result. */
  winner: v.nullable(count),
  test: v.nullable(METRIC_VALUES),
});

/** Any line after the first. */
export const EVENT = v.variant('type', [EXTENDED, RESULT, FAILED, ENDED]);

export type SweepLine = v.InferOutput<typeof SWEEP>;
export type ExtendedLine = v.InferOutput<typeof EXTENDED>;
export type ResultLine = v.InferOutput<typeof RESULT>;
export type FailedLine = v.InferOutput<typeof FAILED>;
export type EndedLine = v.InferOutput<typeof ENDED>;
export type EventLine = ExtendedLine | ResultLine | FailedLine | EndedLine;
