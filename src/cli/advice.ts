import type { Command } from 'commander';
import { FIELD_LIST } from '../config/config.ts';
import { UsageError } from '../errors.ts';
import { flagOf } from './inputs/field-names.ts';
import { didYouMean, startingAlike, suggestedChoice } from './inputs/suggestions.ts';
import { commandsCalled, optionsCalled, pathArgumentFor } from './inputs/synonyms.ts';
import type { Io } from './terminal/io.ts';
import { ownName } from './terminal/own-name.ts';

/** Adds suggestions to the errors of a command and its subcommands, and a pointer to the command's own help. */
export function addAdvice(command: Command, io: Io): void {
  const words = [ownName(io.env), ...pathOf(command), '--help'].join(' ');
  const what = command.commands.length > 0 ? 'commands' : 'options';
  command.configureOutput({
    outputError: (text, write) => write(`${messageFor(text, command)}\nRun ${words} for its ${what} and examples.\n`),
  });
  for (const subcommand of command.commands) addAdvice(subcommand, io);
}

/** @throws UsageError if options stand before the name of a command, where they would be those of train. */
export function expectNoCommand(train: Command): void {
  const message = misplacedOptions(train);
  if (message !== undefined) throw new UsageError(message);
}

/** @throws UsageError for a choice that has another name here, such as adam. */
export function expectOwnChoices(command: Command): void {
  const given = command.opts<Record<string, unknown>>();
  for (const [key, { wanted }] of FIELD_LIST) {
    const suggestion = suggestedChoice(key, given[key]);
    if (suggestion !== '') throw new UsageError(`${flagOf(key)} must be ${wanted}, got ${given[key]}.${suggestion}`);
  }
}

/** The names of a command and its parents, without the program. */
function pathOf(command: Command): string[] {
  return command.parent ? [...pathOf(command.parent), command.name()] : [];
}

/** Commander's message on one line, with our suggestion, or else commander's. */
function messageFor(text: string, command: Command): string {
  const [problem, hint] = text.trimEnd().split('\n(Did you mean ');
  const [, kind, word] = /^error: unknown (option|command) '(.*)'$/.exec(problem) ?? [];
  if (kind === undefined) return text.trimEnd();
  if (kind === 'option') {
    const misplaced = misplacedOptions(command);
    if (misplaced !== undefined) return `error: ${misplaced}`;
  }
  const meant = kind === 'option' ? optionsMeantBy(word, command) : commandsMeantBy(word, command);
  const similar = hint === undefined ? [] : hint.replace(/^one of |\?\)$/g, '').split(', ');
  return `${problem}.${didYouMean(meant.length > 0 ? meant : similar)}`.replace(/\.$/, '');
}

function misplacedOptions(train: Command): string | undefined {
  const [name] = train.args;
  if (!train.parent?.commands.some((command) => command.name() === name && command !== train)) return undefined;
  const given = train.options.filter((option) => train.getOptionValueSource(option.attributeName()) === 'cli');
  return `options of ${name} come after it, got ${given.map(({ long }) => long).join(', ')} before it`;
}

function optionsMeantBy(word: string, command: Command): string[] {
  // -v is not the beginning of an option: in most programs it prints the version.
  if (word === '-v') return ['--version'];
  const argument = pathArgumentFor(word, pathOf(command).join(' '));
  if (argument.length > 0) return argument;
  const own = command.options.flatMap(({ long }) => (long ? [long.slice(2)] : []));
  const foreign = optionsCalled(word).filter((name) => own.includes(name));
  return (foreign.length > 0 ? foreign.slice(0, 1) : startingAlike(word, own)).map((name) => `--${name}`);
}

function commandsMeantBy(word: string, { commands }: Command): string[] {
  const own = commands.map((command) => command.name());
  const foreign = commandsCalled(word).filter((name) => own.includes(name) || /\W/.test(name));
  return foreign.length > 0 ? foreign.slice(0, 1) : startingAlike(word, own);
}
