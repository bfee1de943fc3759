import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Message, NamedField } from '../../message.ts';
import { shellWord } from '../terminal/format.ts';

/** Fields of the library whose option has another name. */
const OPTION: Readonly<Record<string, string>> = { path: '--data', choice: '--dataset' };

/** Renders a message with the names that a user of the command line knows: options, or the environment variable or
 *  configuration file that a hyperparameter comes from. @param command the running command. */
export function renderMessage(text: string | Message, env: NodeJS.ProcessEnv, command?: Command): string {
  return typeof text === 'string' ? text : text.render((named) => nameOf(named, env, command));
}

function nameOf(named: NamedField, env: NodeJS.ProcessEnv, command?: Command): string {
  const { field, value } = named;
  if (command?.getOptionValueSource(field) === 'cli') return optionWith(named);
  const variable = variableOf(field);
  if (env[variable]) return value === undefined ? variable : `${variable}=${value}`;
  const file: unknown = command?.opts().config;
  if (typeof file !== 'string' || !holds(file, field)) return optionWith(named);
  return value === undefined ? `${field} in ${file}` : `${field} ${value} in ${file}`;
}

/** The option of a field, with its value if given: `--early-stop 3`, `--no-flip`. */
function optionWith({ field, value }: NamedField): string {
  const option = flagOf(field);
  if (value === undefined || value === true) return option;
  return value === false ? option.replace('--', '--no-') : `${option} ${shellWord(String(value))}`;
}

/** The option that sets a field: --batch-size for batchSize. */
export function flagOf(field: string): string {
  return OPTION[field] ?? `--${inWords(field, '-')}`;
}

/** The environment variable that sets a hyperparameter: NN_TRAIN_BATCH_SIZE for batchSize. */
export function variableOf(field: string): string {
  return `NN_TRAIN_${inWords(field, '_').toUpperCase()}`;
}

function inWords(field: string, separator: string): string {
  return field.replace(/[A-Z]/g, (letter) => `${separator}${letter.toLowerCase()}`);
}

/** Whether a configuration file sets a field. */
function holds(file: string, field: string): boolean {
  try {
    const content = JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
    return Object.hasOwn(content.environment ? content.config : content, field);
  } catch {
    return false;
  }
}
