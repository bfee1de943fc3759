import type { SweepReport, SweptParameter } from '../../sweep/sweep-data.ts';
import { definitions, h, hash, part, section, table } from '../dom.ts';
import * as format from '../format.ts';
import { valueText } from './trials.ts';

/** Section on what all trials have in common. */
export function sweepSetup({ parameters, base, dataset, winner }: SweepReport): HTMLElement {
  const settings = (config: SweepReport['base']) =>
    definitions(Object.entries(config).map(([name, value]) => [name, format.setting(value)] as const));
  return section(
    'setup',
    'Setup',
    part('Search space', spaceTable(parameters)),
    h(
      'div',
      { class: 'columns' },
      part('Shared by all trials', settings(base)),
      h(
        'div',
        {},
        winner ? part('All of the winner', settings(winner.config)) : null,
        part(
          'Data',
          definitions([
            ['dataset', dataset.name],
            ['source', dataset.source],
            ['SHA-256', hash(dataset.sha256)],
          ]),
        ),
      ),
    ),
  );
}

const spaceTable = (parameters: readonly SweptParameter[]): HTMLElement =>
  table(
    'Search space',
    [
      { title: 'Hyperparameter', cell: ({ name }) => name },
      { title: 'Values', cell: valuesOf },
      {
        title: 'Scale',
        cell: ({ scale }) => (scale === 'choice' ? 'choices' : scale === 'log' ? 'logarithmic' : 'linear'),
      },
    ],
    parameters,
  );

function valuesOf({ scale, domain }: SweptParameter): string {
  const values = domain.map(valueText);
  return scale === 'choice' ? values.join(', ') : `${values[0]} to ${values.at(-1)}`;
}
