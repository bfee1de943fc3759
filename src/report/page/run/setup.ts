import type { RunReport } from '../../report-data.ts';
import { definitions, type Entries, h, hash, part, section, table } from '../dom.ts';
import * as format from '../format.ts';

/** Table with one row per epoch. */
export function epochsTable({ epochs, bestEpoch }: RunReport): HTMLElement {
  return table(
    'Epochs',
    [
      {
        title: 'Epoch',
        cell: ({ epoch }) => [epoch === bestEpoch ? h('span', { class: 'badge' }, 'best') : null, format.count(epoch)],
        numeric: true,
      },
      { title: 'Training loss', cell: ({ train }) => format.loss(train.loss), numeric: true },
      { title: 'Training accuracy', cell: ({ train }) => format.percent(train.accuracy), numeric: true },
      { title: 'Validation loss', cell: ({ validation }) => format.loss(validation?.loss), numeric: true },
      { title: 'Validation accuracy', cell: ({ validation }) => format.percent(validation?.accuracy), numeric: true },
      { title: 'Learning rate', cell: ({ learningRate }) => format.small(learningRate), numeric: true },
      { title: 'Images/s', cell: ({ imagesPerSecond }) => format.count(Math.round(imagesPerSecond)), numeric: true },
      { title: 'Seconds', cell: ({ seconds }) => seconds.toFixed(2), numeric: true },
    ],
    epochs,
  );
}

/** Section on the configuration, data, environment and files of a run. */
export function setup(run: RunReport): HTMLElement {
  const { config, files } = run;
  const settings = Object.entries(config).map(([key, value]) => [key, format.setting(value)] as const);
  return section(
    'setup',
    'Setup',
    h(
      'div',
      { class: 'columns' },
      part('Configuration', definitions(settings)),
      h(
        'div',
        {},
        part('Data', definitions(dataOf(run))),
        part('Environment', definitions(environmentOf(run))),
        part('Parameters', parametersTable(run)),
      ),
    ),
    files.length > 0 ? part('Files', filesTable(run)) : null,
  );
}

const dataOf = ({ dataset: { name, source, sha256, images, classes } }: RunReport): Entries => [
  ['dataset', name],
  ['source', source],
  ['SHA-256', hash(sha256)],
  ...(images ? [['images', `${format.count(images.train)} training, ${format.count(images.test)} test`] as const] : []),
  ['classes', classes.join(', ')],
];

const environmentOf = ({ environment }: RunReport): Entries => [
  ['version', `nn-train ${environment.version}`],
  ['node', `${environment.node}, ${environment.platform}`],
  ['cpu', `${environment.cpu}, ${format.plural(environment.threads, 'thread')}`],
  ['backend', `${environment.backend}, ${environment.dtype}, ${vectors(environment)}`],
];

function vectors({ vectorBits, fma }: RunReport['environment']): string {
  return vectorBits > 0 ? `${vectorBits}-bit SIMD${fma ? ' with FMA' : ''}` : 'no SIMD';
}

function parametersTable({ parameters }: RunReport): HTMLElement {
  return table(
    'Parameters',
    [
      { title: 'Name', cell: ({ name }) => name },
      { title: 'Shape', cell: ({ shape }) => shape.map(format.count).join(' × '), numeric: true },
      { title: 'Count', cell: ({ shape }) => format.count(sizeOf(shape)), numeric: true },
    ],
    parameters,
  );
}

function filesTable({ files }: RunReport): HTMLElement {
  return table(
    'Files of the run',
    [
      { title: 'File', cell: ({ name }) => name },
      { title: 'Size', cell: ({ bytes }) => format.bytes(bytes), numeric: true },
      { title: 'SHA-256', cell: ({ sha256 }) => hash(sha256) },
    ],
    files,
  );
}

export const parameterCount = ({ parameters }: RunReport): number =>
  parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);
