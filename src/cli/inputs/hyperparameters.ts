import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { applies, type Config, FIELD_LIST, parseConfig, parseField, resolveConfig } from '../../config/config.ts';
import type { Field } from '../../config/field.ts';
import { UsageError } from '../../errors.ts';

/** The hyperparameter with which each group of the help begins. */
const GROUPS: Partial<Record<keyof Config, string>> = { model: 'Model:', epochs: 'Training:', dataset: 'Images:' };

/** A flag for every hyperparameter; `readConfig` reads them. */
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
  if (isSwitch) return [new Option(name, description), new Option(name.replace('--', '--no-'), 'turn that off')];
  return [new Option(`${name} <${choices ? 'name' : 'n'}>`, description)];
}

/** The hyperparameters of a new run: flags, then environment, then configuration file, then defaults.
 *  @throws UsageError for a value out of range, or a flag that means nothing beside the others. */
export async function readConfig(command: Command, env: NodeJS.ProcessEnv): Promise<Config> {
  const file = command.opts<{ readonly config?: string }>().config;
  const fromFlags = flagsOf(command);
  const config = resolveConfig({
    ...(file === undefined ? {} : await readConfigFile(file)),
    ...environmentOf(env),
    ...fromFlags,
  });
  for (const [key, field] of FIELD_LIST) {
    if (key in fromFlags && !applies(field, config)) {
      const [other, value] = Object.entries(field.onlyWith!).find(
        ([name, wanted]) => config[name as keyof Config] !== wanted,
      )!;
      const otherFlag = flagOf(other as keyof Config);
      throw new UsageError(
        `${flagOf(key)} has an effect only with ${otherFlag} ${value}, but this run has ${otherFlag} ` +
          `${config[other as keyof Config]}; leave one of the two out`,
      );
    }
  }
  return config;
}

/** The hyperparameters that were given as flags. */
export function flagsOf(command: Command): Partial<Config> {
  const options = command.opts();
  const given = FIELD_LIST.filter(([key]) => options[key] !== undefined);
  return Object.fromEntries(given.map(([key]) => [key, parseField(key, options[key], flagOf(key))]));
}

export function flagOf(key: keyof Config): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function environmentOf(env: NodeJS.ProcessEnv): Partial<Config> {
  const variables = FIELD_LIST.map(
    ([key]) => [key, `NN_TRAIN_${flagOf(key).slice(2).replaceAll('-', '_').toUpperCase()}`] as const,
  );
  const given = variables.filter(([, variable]) => env[variable]);
  return Object.fromEntries(given.map(([key, variable]) => [key, parseField(key, env[variable], variable)]));
}

/** A file of hyperparameters, or the config.json of a run. */
async function readConfigFile(file: string): Promise<Partial<Config>> {
  let content: Record<string, unknown> | null;
  try {
    const text = await readFile(file, 'utf8');
    content = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new UsageError(`cannot read the configuration file ${file}: ${(error as Error).message}`);
  }
  return parseConfig(content?.environment ? content.config : content, file);
}
