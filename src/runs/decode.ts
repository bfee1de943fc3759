import * as v from 'valibot';
import type { Config } from '../config/config.ts';
import { resolveConfig } from '../config/resolve.ts';
import { count, expectSchema, imageCounts, isObject, ordinal, sha256 } from '../documents/schema.ts';
import { DivergedError, UsageError, UserError } from '../errors.ts';
import { DATASET_LABEL, type DatasetName } from '../images.ts';
import { field, message } from '../message.ts';
import { contradictionIn } from '../training/consistency.ts';
import {
  type Checkpoint,
  type EpochMetrics,
  type Progress,
  type StepRecord,
  type Times,
  ZERO_TIMES,
} from '../training/progress.ts';
import { notFinite } from '../training/restore.ts';
import { EPOCH_METRICS, METRICS, PROGRESS, SCHEDULES, STEP_RECORD, TIMES } from '../training/schemas.ts';
import { parseOrUndefined } from './json-lines.ts';

// What is read from a run directory is checked here. Training imports this module only when it reads a run.

export const ENVIRONMENT = v.pipe(
  v.object({
    version: v.string(),
    node: v.string(),
    platform: v.string(),
    cpu: v.string(),
    backend: v.picklist(['wasm', 'reference']),
    dtype: v.string(),
    // Runs saved before the wasm backend existed lack the following.
    threads: v.optional(ordinal, 1),
    /** Width of the SIMD vectors; 0 without SIMD. */
    vectorBits: v.optional(count, 0),
    /** Whether multiplications and additions were fused. With float32, the bits of the result depend on it. */
    fma: v.optional(v.boolean(), false),
  }),
  v.readonly(),
);

/** Contents of a run's config.json. */
export const RUN_RECORD = v.object({
  /** Its fields are checked by `resolveConfig`. */
  config: v.custom<object>(isObject, 'an object'),
  dataset: v.pipe(
    v.object({
      name: v.picklist(Object.keys(DATASET_LABEL) as DatasetName[]),
      source: v.string(),
      sha256,
      /** Absent in runs of earlier versions, which had those of the published dataset. */
      images: v.optional(imageCounts),
    }),
    v.readonly(),
  ),
  environment: ENVIRONMENT,
  /** That somebody gave it. */
  name: v.optional(v.string()),
  /** If its number of epochs was changed on the way. */
  schedules: v.optional(SCHEDULES),
  /** The weights that it began with, those of another run, and the SHA-256 of their file. */
  initFrom: v.optional(
    v.pipe(v.object({ run: v.string(), weights: v.picklist(['last', 'best']), sha256 }), v.readonly()),
  ),
});

/** Contents of a run's result.json. */
export const OUTCOME = v.pipe(
  v.variant('status', [
    v.object({
      status: v.literal('finished'),
      /** Updates that the tested weights had. */
      step: count,
      /** Of the last weights on the test images, each seen once as it is. */
      test: METRICS,
    }),
    v.object({
      status: v.literal('diverged'),
      /** Updates until then. */
      step: count,
    }),
  ]),
  v.readonly(),
);

/** How a run ended. */
export type Outcome = v.InferOutput<typeof OUTCOME>;

/** Checks the contents of config.json. @param origin path of the file.
 *  @throws UsageError that says what does not describe a run. */
export function decodeRecord(content: unknown, origin: string) {
  const refuse = (problem: string) => new UsageError(`${origin} does not describe a run: ${problem}`);
  const { config, ...rest } = expectSchema(RUN_RECORD, content, refuse);
  const record = { config: decodeConfig(config, origin), ...rest };
  const planned = rest.schedules?.at(-1)?.epochs;
  if (planned !== undefined && planned !== record.config.epochs) {
    throw refuse(`its last schedule ends with epoch ${planned}, but it has ${record.config.epochs} epochs`);
  }
  return record;
}

function decodeConfig(config: Partial<Config>, origin: string): Config {
  try {
    // Runs saved before recipes existed were plain; before `precision` existed, they trained in float32.
    return resolveConfig({ recipe: 'plain', precision: 'float32', ...config });
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(message`${origin}: ${error.text}`, { cause: error });
    throw error;
  }
}

/** Decodes the progress of a checkpoint. @param file path of the checkpoint.
 *  @throws UserError if it is missing or damaged, or contradicts itself or the configuration. */
export function decodeProgress(text: string | undefined, file: string, config: Config): Progress {
  if (text === undefined) throw new UserError(`${file} was not written by nn-train: its metadata has no progress`);
  const refuse = (problem: string) => new UserError(`the progress in ${file} is damaged: ${problem}`);
  const progress = expectSchema(PROGRESS, parseOrUndefined(text), refuse);
  const contradiction = contradictionIn(progress, config);
  if (contradiction !== undefined) throw refuse(contradiction);
  return progress;
}

/** @throws DivergedError if a tensor of a checkpoint holds a number that is NaN or infinite. */
export function expectFinite(tensors: Checkpoint['tensors'], file: string): void {
  const [name] = notFinite(tensors);
  if (name === undefined) return;
  throw new DivergedError(
    message`'${name}' in ${file} holds a number that is NaN or infinite: training diverged or the file was changed; use the weights of the best epoch, or train again with a lower ${field('lr')}`,
  );
}

/** Decodes times.json; zero times if it is damaged. */
export function decodeTimes(text: string): Times {
  const result = v.safeParse(TIMES, parseOrUndefined(text));
  return result.success ? result.output : ZERO_TIMES;
}

/** Decodes result.json; undefined if it is damaged. */
export function decodeOutcome(text: string): Outcome | undefined {
  const result = v.safeParse(OUTCOME, parseOrUndefined(text));
  return result.success ? result.output : undefined;
}

/** Whether the value of a line of metrics.jsonl is complete. */
export function isEpochMetrics(line: unknown): line is EpochMetrics {
  return v.is(EPOCH_METRICS, line);
}

/** Whether the value of a line of steps.jsonl is complete. */
export function isStepRecord(line: unknown): line is StepRecord {
  return v.is(STEP_RECORD, line);
}
