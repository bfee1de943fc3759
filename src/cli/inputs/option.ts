import type { Field } from '../../config/field.ts';
import { UsageError } from '../../errors.ts';
import { suggestedFrom } from './suggestions.ts';

/** Parses the value of an option that is not a hyperparameter; returns the field's default if it was not given.
 *  @param name of the option or the environment variable, for the error.
 *  @throws UsageError if the field does not accept the value. */
export function parseOption<T>(name: string, text: string | undefined, field: Field<T>): T {
  const value = field.parse(text ?? field.default);
  if (value === undefined) {
    const option = name.replace(/^(--|NN_TRAIN_)/, '').toLowerCase();
    const suggestion = suggestedFrom((field.choices ?? []) as readonly string[], option, text!);
    throw new UsageError(`${name} must be ${field.wanted}, got ${text}${suggestion && `.${suggestion}`}`);
  }
  return value;
}
