import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import type { Field } from '../../config/field.ts';
import { effectiveConfig, resolveConfig } from '../../config/resolve.ts';
import { MAX_FILE_BYTES } from '../../documents/json.ts';
import { UsageError } from '../../errors.ts';
import { fileError } from '../../files.ts';
import { field, message } from '../../message.ts';
import { type Definition, rungsOf } from '../../sweep/plan/definition.ts';
import { proposalsOf } from '../../sweep/plan/proposals.ts';
import { expectEffect, parseSpace } from '../../sweep/space/parse-space.ts';
import type { Space } from '../../sweep/space/space.ts';
import type { SweepFile } from '../../sweep/space/sweep-file.ts';
import { explained, readGiven } from '../inputs/hyperparameters.ts';
import { parseOption } from '../inputs/option.ts';
import type { Io } from '../terminal/io.ts';
import { HALVING, METHOD, METRIC, SEEDS, SWEEP_VAL, type SweepOptions, TRIALS } from './options.ts';

/** Reads what to search from the options and the file: options override the file.
 *  @throws UsageError for an invalid value, or options that contradict each other. */
export async function readDefinition(file: string | undefined, command: Command, io: Io): Promise<Definition> {
  const options = command.opts<SweepOptions>();
  const inFile = file === undefined ? undefined : await readFile(file);
  const given = await readGiven(command, io.env);
  const space = explained(given, () =>
    mergedSpace(inFile?.space ?? [], parseSpace((options.search ?? []).map(withFieldName))),
  );
  if (space.length === 0) {
    throw new UsageError('nothing to search; add --search with a hyperparameter, such as --search lr, or a sweep.yaml');
  }
  const base: Partial<Config> = {
    val: SWEEP_VAL,
    ...inFile?.base,
    ...(inFile?.seed === undefined ? {} : { seed: inFile.seed }),
    ...given.all,
  };
  const twice = space.find((parameter) => (given.all as object)[parameter.field as never] !== undefined);
  if (twice) {
    throw new UsageError(message`${field(twice.field)} is both searched and given; leave one of the two out`);
  }
  const { epochs, val, seed, precision } = explained(given, () => resolveConfig(effectiveConfig(base)));
  if (val === 0) {
    throw new UsageError(
      message`a sweep ranks by validation images, but ${field('val', 0)} holds none out; hold out some, such as ${field('val', SWEEP_VAL)}`,
    );
  }
  // Written down, so that a sweep goes on as it began when a later version has another default.
  const definition: Definition = {
    base: { ...base, precision },
    space,
    seed,
    ...readSearch(options, inFile, epochs),
  };
  expectEffect(space, base);
  const [{ size }] = proposalsOf(definition);
  return { ...definition, trials: Math.min(definition.trials, size) };
}

/** Reads how to search. @param epochs of a whole training. */
function readSearch(
  options: SweepOptions,
  inFile: SweepFile | undefined,
  epochs: number,
): Omit<Definition, 'base' | 'space' | 'seed'> {
  const read = <T>(name: string, text: string | undefined, option: Field<T>, other: T | undefined): T =>
    text === undefined && other !== undefined ? other : parseOption(name, text, option);
  const method = read('--method', options.method, METHOD, inFile?.method);
  const halving = read('--halving', options.halving, HALVING, inFile?.halving?.eta);
  const ofMethod = method === 'grid' ? TRIALS_OF_GRID : undefined;
  const rungs = rungsOf(epochs, halving, options.halving === undefined ? inFile?.halving?.minEpochs : undefined);
  if (halving !== null && rungs.length === 1) {
    throw new UsageError(
      `--halving ${halving} compares trials after a part of the epochs, so it needs at least ${halving} epochs, got ${epochs}`,
    );
  }
  return {
    method,
    metric: read('--metric', options.metric, METRIC, inFile?.metric?.name),
    halving,
    rungs,
    trials: read('--trials', options.trials, TRIALS, inFile?.trials ?? ofMethod),
    seeds: readSeeds(options.seeds),
  };
}

/** Reads the number of seeds. @throws UsageError also for a list, which training takes. */
export function readSeeds(text: string | undefined): number {
  const count = text?.split(',').length ?? 1;
  if (count > 1) {
    throw new UsageError(
      `--seeds of a sweep is a number, of seeds that count on from --seed, got ${text}; for ${count} seeds write --seeds ${count}`,
    );
  }
  return parseOption('--seeds', text, SEEDS);
}

async function readFile(file: string): Promise<SweepFile> {
  const [{ parseSweepFile }, { readRegularFile }] = await Promise.all([
    import('../../sweep/space/sweep-file.ts'),
    import('../../read-file.ts'),
  ]);
  try {
    return await parseSweepFile(await readRegularFile(file, MAX_FILE_BYTES));
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(message`${file}: ${error.text}`, { cause: error });
    throw fileError(`cannot read ${file}`, error, UsageError);
  }
}

/** A grid ends by itself. */
const TRIALS_OF_GRID = 100_000;

/** weightDecay=… for weight-decay=…, as the option is called, and for WEIGHT_DECAY=…, as the environment variable ends. */
function withFieldName(text: string): string {
  return text.replace(/^[^=]+/, (name) => {
    const lower =
      name === name.toUpperCase() ? name.toLowerCase() : name.replace(/^[A-Z]/, (letter) => letter.toLowerCase());
    return lower.replace(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase());
  });
}

/** A parameter that is given as an option replaces that of the file. */
function mergedSpace(inFile: Space, given: Space): Space {
  const fields = given.map((parameter) => parameter.field);
  return [...inFile.filter((parameter) => !fields.includes(parameter.field)), ...given];
}
