import type { Command } from 'commander';
import type { Message, NamedField } from '../../message.ts';
import { showControls } from '../terminal/controls.ts';
import { shellWord } from '../terminal/shell.ts';

/** Fields of the library that have another name on the command line. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['path', 'data'],
  ['choice', 'dataset'],
]);

/** The fields that the configuration file of a command sets. */
const IN_FILE = new WeakMap<Command, readonly string[]>();

/** Remembers what a configuration file sets, so that messages can name it; it may be a pipe, which is read only once. */
export function rememberFile(command: Command, fields: readonly string[]): void {
  IN_FILE.set(command, fields);
}

/** No message of ours is longer, but what it quotes from a file or a server may be. */
const MAX_LENGTH = 5000;

/** Renders a message with the names that a user of the command line knows: options, or the environment variable or
 *  configuration file that a hyperparameter comes from. @param command the running command. */
export function renderMessage(text: string | Message, env: NodeJS.ProcessEnv, command?: Command): string {
  const rendered = typeof text === 'string' ? text : text.render((named) => nameOf(named, env, command));
  return showControls(rendered.length > MAX_LENGTH ? `${rendered.slice(0, MAX_LENGTH)}…` : rendered);
}

function nameOf({ value, ...named }: NamedField, env: NodeJS.ProcessEnv, command?: Command): string {
  const field = NAMES.get(named.field) ?? named.field;
  if (command?.getOptionValueSource(field) === 'cli') return optionWith({ field, value });
  const variable = variableOf(field);
  if (env[variable]) return value === undefined ? variable : `${variable}=${value}`;
  const file: unknown = command?.opts().config;
  if (typeof file !== 'string' || !IN_FILE.get(command!)?.includes(field)) return optionWith({ field, value });
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
  return `--${inWords(NAMES.get(field) ?? field, '-')}`;
}

/** The environment variable that sets a hyperparameter: NN_TRAIN_BATCH_SIZE for batchSize. */
export function variableOf(field: string): string {
  return `NN_TRAIN_${inWords(field, '_').toUpperCase()}`;
}

function inWords(field: string, separator: string): string {
  return field.replace(/[A-Z]/g, (letter) => `${separator}${letter.toLowerCase()}`);
}
