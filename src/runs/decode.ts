import * as v from 'valibot';
import { type Config, resolveConfig } from '../config/config.ts';
import { DivergedError, UsageError, UserError } from '../errors.ts';
import { field, message } from '../message.ts';
import { expectSchema } from '../schema.ts';
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
import { EPOCH_METRICS, PROGRESS, STEP_RECORD, TIMES } from '../training/schemas.ts';
import { RUN_RECORD } from './schemas.ts';

// What is read from a run directory is checked here. Training imports this module only when it reads a run.

/** Checks the contents of config.json. @param origin path of the file.
 *  @throws UsageError that says what does not describe a run. */
export function decodeRecord(content: unknown, origin: string) {
  const refuse = (problem: string) => new UsageError(`${origin} does not describe a run: ${problem}`);
  const { config, dataset, environment } = expectSchema(RUN_RECORD, content, refuse);
  return { config: decodeConfig(config, origin), dataset, environment };
}

function decodeConfig(config: Partial<Config>, origin: string): Config {
  try {
    // Runs saved before `precision` existed trained in float32.
    return resolveConfig({ precision: 'float32', ...config });
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
  const progress = expectSchema(PROGRESS, parseJson(text), refuse);
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
  const result = v.safeParse(TIMES, parseJson(text));
  return result.success ? result.output : ZERO_TIMES;
}

/** Whether the value of a line of metrics.jsonl is complete. */
export function isEpochMetrics(line: unknown): line is EpochMetrics {
  return v.is(EPOCH_METRICS, line);
}

/** Whether the value of a line of steps.jsonl is complete. */
export function isStepRecord(line: unknown): line is StepRecord {
  return v.is(STEP_RECORD, line);
}

/** Undefined if the text is not valid JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
