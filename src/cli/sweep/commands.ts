import { type Config, FIELD_LIST } from '../../config/config.ts';
import { CHOICES, effectiveConfig, resolveConfig } from '../../config/resolve.ts';
import type { Border } from '../../sweep/plan/borders.ts';
import { flagOf } from '../inputs/field-names.ts';
import { resumeCommand } from '../terminal/format.ts';
import type { Io } from '../terminal/io.ts';
import { ownName } from '../terminal/own-name.ts';
import { shellWord } from '../terminal/shell.ts';

/** The command that trains a configuration: only what differs from the defaults that follow from the rest.
 *  @param data where the images are, if that was given. */
export function trainCommand(program: string, config: Partial<Config>, data: string | undefined): string {
  return [program, ...flagsFor(config), ...(data === undefined ? [] : ['--data', shellWord(data)])].join(' ');
}

function flagsFor(config: Partial<Config>): string[] {
  const given: Partial<Config> = {};
  // First what the defaults of the others follow from.
  const keys = [...CHOICES, ...FIELD_LIST.map(([key]) => key)];
  for (const key of new Set(keys)) {
    const value = config[key];
    // The real images are given as a path, or found where they are.
    if (value === undefined || value === null || value === 'cifar10') continue;
    const isDefault = resolveConfig(effectiveConfig(given))[key] === value;
    if (key === 'model' || !isDefault) Object.assign(given, { [key]: value });
  }
  return FIELD_LIST.flatMap(([key, { isSwitch }]) => {
    const value = given[key];
    if (value === undefined) return [];
    if (isSwitch) return [value ? flagOf(key) : flagOf(key).replace('--', '--no-')];
    return [flagOf(key), shellWord(String(value))];
  });
}

/** The command that goes on with a sweep. @param more further options. */
export function resumeSweep(folder: string, { env }: Io, data?: string, more: readonly string[] = []): string {
  return resumeCommand(folder, `${ownName(env)} sweep`, [...(data === undefined ? [] : ['--data', data]), ...more]);
}

/** The best lr, 0.0998, is near the highest value searched; … */
export function borderText({ field, value, side, next }: Border): string {
  const range = `${flagOf(field).slice(2)}=${next.min}..${next.max}${next.log ? ':log' : ''}`;
  return `the best ${flagOf(field).slice(2)}, ${value}, is near the ${side} value searched; try --search ${range}`;
}
