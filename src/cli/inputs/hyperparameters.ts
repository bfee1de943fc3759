import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { type Config, effectiveConfig, FIELD_LIST, FIELDS, resolveConfig } from '../../config/config.ts';
import type { Field } from '../../config/field.ts';
import { UsageError } from '../../errors.ts';
import { fileErrorReason } from '../../files.ts';
import { flagOf, variableOf } from './field-names.ts';

/** First hyperparameter of each group in the help. */
const GROUPS: Partial<Record<keyof Config, string>> = { model: 'Model:', epochs: 'Training:', dataset: 'Images:' };

/** Adds an option for every hyperparameter; `readConfig` reads them. */
export function addHyperparameters(command: Command): Command {
  let group = '';
  for (const [key, field] of FIELD_LIST) {
    group = GROUPS[key] ?? group;
    for (const option of optionsOf(key, field)) command.addOption(option.helpGroup(group));
  }
  return command.optionsGroup('Images:').option('--data <path>', DATA_HELP);
}

export const DATA_HELP =
  'CIFAR-10 as an archive or a folder, see nn-train data --help (default: NN_TRAIN_DATA_DIR, ./data, ' +
  '~/.cache/nn-train, ~/.keras/datasets, a download)';

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
  const { config: file } = command.opts<{ readonly config?: string }>();
  const shared: Values = { ...(file === undefined ? {} : await readConfigFile(file)), ...environmentOf(env) };
  const flags = flagsOf(command);
  return resolveConfig({ ...effectiveConfig({ ...shared, ...flags }), ...flags });
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

/** Reads a file of hyperparameters, or the config.json of a run. */
async function readConfigFile(file: string): Promise<Values> {
  let content: Record<string, unknown> | null;
  try {
    const text = await readFile(file, 'utf8');
    content = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    const reason = fileErrorReason(error) ?? (error as Error).message;
    throw new UsageError(`cannot read the configuration file ${file}: ${reason}`);
  }
  const values = content?.environment ? content.config : content;
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new UsageError(`${file} must hold one JSON object, such as {"model": "mlp", "lr": 0.05}`);
  }
  return parsed(Object.entries(values));
}

/** Parses texts. An invalid number or text is kept, for `resolveConfig` to reject like any other invalid value. */
function parsed(entries: readonly (readonly [key: string, raw: unknown])[]): Values {
  const values = entries
    .filter(([, raw]) => raw !== undefined)
    .map(([key, raw]) => [key, (FIELDS[key as keyof Config] as Field | undefined)?.parse(raw) ?? literal(raw)]);
  return Object.fromEntries(values);
}

/** The number that a text writes, or else the value as it is. */
function literal(raw: unknown): unknown {
  return typeof raw === 'string' && raw.trim() !== '' && !Number.isNaN(Number(raw)) ? Number(raw) : raw;
}
