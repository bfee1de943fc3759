import { type Column, h, table } from '../dom.ts';
import * as format from '../format.ts';
import { type Configuration, named } from './configurations.ts';

/** Table of the hyperparameters in which configurations differ. */
export function differenceTable(all: readonly Configuration[], differing: readonly string[]): HTMLElement {
  if (differing.length === 0) {
    const isOne = all.length === 1 && all[0].runs.length > 1;
    return h('p', {}, `All runs have the same configuration${isOne ? ' but for the seed' : ''}.`);
  }
  const columns: Column<string>[] = [
    { title: 'Hyperparameter', cell: (key) => key },
    ...all.map(
      (one): Column<string> => ({
        title: named(one),
        cell: (key) =>
          h('span', { class: isCommon(key, one, all) ? undefined : 'unusual' }, format.setting(one.config[key])),
      }),
    ),
  ];
  return h(
    'div',
    {},
    table('Hyperparameters in which the runs differ', columns, differing),
    h(
      'p',
      { class: 'caption' },
      'Only hyperparameters that differ are listed, and values not shared by most runs are marked. A dash means that the ' +
        'hyperparameter has no effect in that run.',
    ),
  );
}

/** Whether more than half of all configurations have the same value as this one. */
function isCommon(key: string, { config }: Configuration, all: readonly Configuration[]): boolean {
  const same = all.filter((other) => other.config[key] === config[key]).length;
  return 2 * same > all.length;
}
