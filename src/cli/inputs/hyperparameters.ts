import { type Command, Option } from 'commander';
import { type Config, FIELD_LIST, FIELDS } from '../../config/config.ts';
import type { Field } from '../../config/field.ts';
import { effectiveConfig, resolveConfig } from '../../config/resolve.ts';
import { UsageError } from '../../errors.ts';
import { message } from '../../message.ts';
import { flagOf, rememberFile, variableOf } from './field-names.ts';
import { addImageOptions } from './shared-options.ts';
import { didYouMean, fieldsMeantBy, suggestedChoice } from './suggestions.ts';

/** First hyperparameter of each group in the help. */
const GROUPS: Partial<Record<keyof Config, string>> = { model: 'Model:', epochs: 'Training:', dataset: 'Images:' };

const PREFIX = 'NN_TRAIN_';
/** Variables that set no hyperparameter, named like fields. */
const OTHER_VARIABLES = ['backend', 'threads', 'v8Flags', 'dataDir', 'cifar10Url', 'queue'];
/** The names of all variables, as fields. */
const NAMES = [...Object.keys(FIELDS), ...OTHER_VARIABLES];
/** Variables of the tests, which pass their environment on. */
const TEST_VARIABLES = ['NN_TRAIN_CHROMIUM'];

/** Adds an option for every hyperparameter; `readConfig` reads them. */
export function addHyperparameters(command: Command): Command {
  let group = '';
  for (const [key, field] of FIELD_LIST) {
    group = GROUPS[key] ?? group;
    for (const option of optionsOf(key, field)) command.addOption(option.helpGroup(group));
  }
  return addImageOptions(command.optionsGroup('Images:'));
}

function optionsOf(key: keyof Config, { help, isSwitch, choices, ...field }: Field): Option[] {
  const name = flagOf(key);
  const description = `${help} (default: ${field.shownDefault ?? field.default})`;
  if (isSwitch) return [new Option(name, description), new Option(name.replace('--', '--no-'), `disable ${name}`)];
  return [new Option(`${name} <${choices ? 'name' : 'n'}>`, description)];
}

/** Reads the hyperparameters of a new run: flags override the environment, which overrides the configuration file, which
 *  overrides the defaults. Runs of different models may share the environment and the file, so their fields that have no
 *  effect in this run are dropped.
 *  @throws UsageError for a value out of range, or a flag that has no effect with the other choices. */
export async function readConfig(command: Command, env: NodeJS.ProcessEnv): Promise<Config> {
  const given = await readGiven(command, env);
  return explained(given, () => resolveConfig(given.effective));
}

/** Hyperparameters that are given somewhere. */
export interface Given {
  readonly all: Values;
  /** Without those of the environment and the file that have no effect in this run. */
  readonly effective: Values;
}

/** Reads what `readConfig` resolves. */
export async function readGiven(command: Command, env: NodeJS.ProcessEnv): Promise<Given> {
  const { config: file } = command.opts<{ readonly config?: string }>();
  const inFile = file === undefined ? {} : await readFile(file);
  rememberFile(command, Object.keys(inFile));
  const flags = flagsOf(command);
  const all = { ...inFile, ...environmentOf(env), ...flags };
  return { all, effective: { ...effectiveConfig(all), ...flags } };
}

/** Adds to an error about a field of a configuration what its name or its value probably means. */
export function explained<T>({ all }: Given, resolve: () => T): T {
  try {
    return resolve();
  } catch (error) {
    throw withSuggestion(error, all);
  }
}

async function readFile(file: string): Promise<Values> {
  const { readConfigFile } = await import('./config-file.ts');
  return parsed(Object.entries(await readConfigFile(file)));
}

/** Adds to an error about a field what its name or its value probably means. */
function withSuggestion(error: unknown, given: Readonly<Record<string, unknown>>): unknown {
  if (!(error instanceof UsageError) || error.field === undefined) return error;
  const { field, text } = error;
  const suggestion = Object.hasOwn(FIELDS, field)
    ? suggestedChoice(field, given[field])
    : didYouMean(fieldsMeantBy(field, Object.keys(FIELDS)));
  return suggestion === '' ? error : new UsageError(message`${text}.${suggestion}`, { cause: error });
}

/** Hyperparameters that have not been validated. */
type Values = Partial<Config>;

/** Returns the hyperparameters given as flags. */
export function flagsOf(command: Command): Values {
  const options = command.opts();
  return parsed(FIELD_LIST.map(([key]) => [key, options[key]]));
}

function environmentOf(env: NodeJS.ProcessEnv): Values {
  return parsed(FIELD_LIST.map(([key]) => [key, env[variableOf(key)] || undefined]));
}

/** An empty variable counts as not set.
 *  @throws UsageError for a variable that has our prefix but does not exist. */
export function expectKnownVariables(env: NodeJS.ProcessEnv): void {
  const known = [...NAMES.map(variableOf), ...TEST_VARIABLES];
  const unknown = Object.keys(env).find((name) => name.startsWith(PREFIX) && env[name] && !known.includes(name));
  if (unknown === undefined) return;
  const meant = fieldsMeantBy(unknown.slice(PREFIX.length), NAMES).map(variableOf);
  throw new UsageError(
    meant.length > 0
      ? `${unknown} is not a variable of nn-train.${didYouMean(meant)}`
      : `${unknown} is not a variable of nn-train; unset it, or name it after an option, as ${variableOf('batchSize')} is after ${flagOf('batchSize')}`,
  );
}

/** Parses texts. An invalid number or text is kept, for `resolveConfig` to reject like any other invalid value. */
function parsed(entries: readonly (readonly [key: string, raw: unknown])[]): Values {
  const values = entries
    .filter(([, raw]) => raw !== undefined)
    .map(([key, raw]) => [key, fieldOf(key)?.parse(raw) ?? literal(raw)]);
  return Object.fromEntries(values);
}

function fieldOf(key: string): Field | undefined {
  return Object.hasOwn(FIELDS, key) ? FIELDS[key as keyof Config] : undefined;
}

/** The number that a text writes, or else the value as it is. */
function literal(raw: unknown): unknown {
  return typeof raw === 'string' && raw.trim() !== '' && !Number.isNaN(Number(raw)) ? Number(raw) : raw;
}
