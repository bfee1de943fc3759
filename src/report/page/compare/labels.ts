import type { RunReport } from '../../report-data.ts';
import * as format from '../format.ts';

type Config = RunReport['config'];

/** Hyperparameters that do not tell two configurations apart: the images are told apart by their hash. */
export const IGNORED: ReadonlySet<string> = new Set(['seed', 'dataset']);

/** Choices that say most, and on which the defaults of others depend. */
const FIRST: readonly string[] = ['model', 'loss', 'optimizer'];

/** Short labels that say in what configurations differ: "lr 0.1", "mlp, hidden 512". They name as few hyperparameters as set all
 *  configurations apart, and choices other than the model only where they are not those of most; empty if nothing differs. */
export function labelsOf(configs: readonly Config[]): string[] {
  const keys = distinguishing(configs);
  const isUsual = (key: string, value: Config[string] | undefined) =>
    key !== 'model' &&
    typeof value !== 'number' &&
    2 * configs.filter((config) => config[key] === value).length > configs.length;
  return configs.map((config) => {
    const texts = keys.flatMap((key) => {
      const text = settingText(key, config[key]);
      return text === undefined ? [] : [{ text, isUsual: isUsual(key, config[key]) }];
    });
    const unusual = texts.filter((one) => !one.isUsual);
    return (unusual.length > 0 ? unusual : texts).map(({ text }) => text).join(', ');
  });
}

/** Returns the hyperparameters that differ between configurations, in their order. */
export function differences(configs: readonly Config[]): string[] {
  const keys = [...new Set(configs.flatMap((config) => Object.keys(config)))];
  return keys.filter((key) => !IGNORED.has(key) && new Set(configs.map((config) => config[key])).size > 1);
}

/** Chooses hyperparameters: those of FIRST that differ, then each time the one that sets most configurations apart, until no
 *  further one does. */
function distinguishing(configs: readonly Config[]): string[] {
  const candidates = differences(configs);
  const chosen: string[] = candidates.filter((key) => FIRST.includes(key));
  const apart = (keys: readonly string[]) =>
    new Set(configs.map((config) => JSON.stringify(keys.map((key) => String(config[key]))))).size;
  for (;;) {
    const counts = candidates.map((key) => apart([...chosen, key]));
    const most = Math.max(0, ...counts);
    if (most <= apart(chosen)) return candidates.filter((key) => chosen.includes(key));
    chosen.push(candidates[counts.indexOf(most)]);
  }
}

/** A setting in as few words as are clear: "mlp", "lr 0.1", "no flip"; undefined if it has no effect. */
function settingText(key: string, value: Config[string] | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'boolean') return value ? key : `no ${key}`;
  if (FIRST.includes(key)) return String(value);
  return `${key} ${format.setting(value)}`;
}
