import { closest } from '../../closest.ts';
import { FIELD_LIST } from '../../config/config.ts';
import { flagOf } from './field-names.ts';
import { bareName, choiceCalled, optionsCalled, optionsNearlyCalled } from './synonyms.ts';

/** Offers no completions of a word if there are more than these. */
const MAX_OFFERED = 3;

/** The name of another spelling, or else the completions of the word, or else the longest name that begins it. */
export function startingAlike(word: string, names: readonly string[]): string[] {
  const bare = bareName(word);
  const same = names.find((name) => bareName(name) === bare);
  if (same !== undefined) return [same];
  const completions = names.filter((name) => bareName(name).startsWith(bare));
  if (bare !== '' && completions.length > 0) return completions.length > MAX_OFFERED ? [] : completions;
  const begun = names.filter((name) => bare.startsWith(bareName(name)));
  return begun.sort((a, b) => b.length - a.length).slice(0, 1);
}

export function didYouMean(offered: readonly string[]): string {
  return offered.length === 0 ? '' : ` Did you mean ${offered.map((name) => `'${name}'`).join(' or ')}?`;
}

/** Fields that a word in a configuration file or an environment variable probably means.
 *  @param names of the fields that could be meant. */
export function fieldsMeantBy(word: string, names: readonly string[]): string[] {
  const ofOptions = (options: readonly string[]) =>
    options.flatMap((option) => names.filter((name) => flagOf(name) === `--${option}`)).slice(0, 1);
  const foreign = ofOptions(optionsCalled(word));
  if (foreign.length > 0) return foreign;
  const alike = startingAlike(word, names);
  if (alike.length > 0) return alike;
  const near = closest(bareName(word), names.map(bareName));
  const own = names.filter((name) => bareName(name) === near);
  return own.length > 0 ? own : ofOptions(optionsNearlyCalled(word));
}

/** Suggests the choice that a value of a hyperparameter probably means; empty if there is none. */
export function suggestedChoice(key: string, value: unknown): string {
  const choices = FIELD_LIST.find(([name]) => name === key)?.[1].choices as readonly string[] | undefined;
  if (choices === undefined || typeof value !== 'string' || choices.includes(value)) return '';
  return suggestedFrom(choices, key, value);
}

/** Suggests one of the choices of an option. @param option its name, without hyphens at the start. */
export function suggestedFrom(choices: readonly string[], option: string, value: string): string {
  const meant = choiceCalled(option, value, choices) ?? closest(value, choices);
  return didYouMean(meant === undefined ? [] : [meant]);
}
