import * as Plot from '@observablehq/plot';
import type { EpochMetrics } from '../../../training/progress.ts';
import type { RunReport } from '../../report-data.ts';
import { type ChartSize, figure, finite, type Line, lineChart, lossTick, percentTick, rangeOf } from '../chart.ts';
import { table } from '../dom.ts';
import * as format from '../format.ts';

const TRAIN = 'var(--series-1)';
const VALIDATION = 'var(--series-2)';

/** A quantity shown as curves: loss or accuracy. */
interface Quantity {
  readonly id: 'loss' | 'accuracy';
  readonly title: (run: RunReport) => string;
  readonly show: (value: number | undefined) => string;
  readonly tick: (value: number) => string;
  readonly caption: (run: RunReport) => string;
}

const LOSS: Quantity = {
  id: 'loss',
  title: ({ config }) => (config.loss === 'hinge' ? 'Loss (multiclass hinge)' : 'Loss (cross-entropy, nats)'),
  show: format.loss,
  tick: lossTick,
  caption: (run) =>
    'Lower is better. If the validation loss rises while the training loss still falls, the model is memorizing its ' +
    `training images (overfitting). ${lossCaveat(run)}`,
};

const ACCURACY: Quantity = {
  id: 'accuracy',
  title: () => 'Accuracy',
  show: format.percent,
  tick: percentTick,
  caption: ({ dataset }) =>
    'The share of images whose label has the highest score. The gap between the curves shows what does not generalise ' +
    `from training images to new ones.${chanceLevel(dataset.classes.length)}`,
};

const chanceLevel = (classes: number): string =>
  classes > 0 ? ` Random guessing gives ${format.percent(1 / classes, 0)}.` : '';

/** Charts of loss and accuracy. */
export function curves(run: RunReport, size: ChartSize): HTMLElement[] {
  return [LOSS, ACCURACY].map((quantity) => curve(run, quantity, size));
}

function curve(run: RunReport, quantity: Quantity, size: ChartSize): HTMLElement {
  const { id, title, tick, caption } = quantity;
  const lines = linesOf(run, id);
  const [steps, ...epochs] = lines.map(({ points }) => points.map(({ y }) => y));
  const domainX = epochAxis(run);
  const best = run.bestEpoch === null ? [] : [run.bestEpoch];
  const svg = lineChart(
    lines,
    {
      domainX,
      domainY: rangeOf(epochs.flat(), steps),
      tickY: tick,
      background: [
        Plot.ruleX(best, { stroke: VALIDATION, strokeDasharray: '2 3', strokeOpacity: 0.7 }),
        Plot.text(best, {
          text: () => `best epoch ${run.bestEpoch}`,
          x: (epoch: number) => epoch,
          frameAnchor: id === 'loss' ? 'top' : 'bottom',
          ...(2 * (run.bestEpoch ?? 0) < domainX[1] ? { textAnchor: 'start', dx: 5 } : { textAnchor: 'end', dx: -5 }),
          fill: 'var(--quiet)',
          stroke: 'var(--page)',
          strokeWidth: 3,
        }),
      ],
      tips: tips(run.epochs, quantity),
    },
    size,
  );
  return figure(id, title(run), caption(run), alternative(run, quantity), svg, numbers(run, quantity));
}

/** Returns the range of the x axis: the epochs trained so far. */
export function epochAxis({ steps, stepsPerEpoch, epochs }: RunReport): readonly [number, number] {
  return [0, Math.max(1, epochs.at(-1)?.epoch ?? 0, (steps.step.at(-1) ?? 0) / stepsPerEpoch)];
}

/** Returns the lines of the steps, training and validation. A mean over an epoch is drawn at its middle, a measurement after
 *  the epoch at its end. */
function linesOf({ epochs, steps, stepsPerEpoch }: RunReport, id: 'loss' | 'accuracy'): Line[] {
  const ofStep = steps.step.map((step, i) => ({ x: step / stepsPerEpoch, y: steps[id][i] }));
  const train = epochs.map((epoch) => ({ x: epoch.epoch - 0.5, y: epoch.train[id] }));
  const validation = epochs.flatMap(({ epoch, validation }) => (validation ? [{ x: epoch, y: validation[id] }] : []));
  return [
    { colour: TRAIN, points: finite(ofStep), emphasis: 'faint' },
    { name: 'training', colour: TRAIN, points: finite(train), dots: true },
    { name: 'validation', colour: VALIDATION, points: finite(validation), dots: true },
  ];
}

function tips(epochs: readonly EpochMetrics[], { id, show }: Quantity) {
  return epochs.map(({ epoch, train, validation }) => ({
    x: epoch,
    y: validation?.[id] ?? train[id],
    text: [`epoch ${epoch}`, `training ${show(train[id])}`, validation ? `validation ${show(validation[id])}` : '']
      .filter(Boolean)
      .join('\n'),
  }));
}

function alternative({ epochs, bestEpoch }: RunReport, { id, show }: Quantity): string {
  const [first, last] = [epochs[0], epochs.at(-1)];
  if (!first || !last) return 'No epoch has ended yet.';
  const validation =
    first.validation && last.validation
      ? `, validation ${id} from ${show(first.validation[id])} to ${show(last.validation[id])}`
      : '';
  const best = bestEpoch === null ? '' : ` Epoch ${bestEpoch} had the best validation accuracy.`;
  return (
    `From epoch ${first.epoch} to ${last.epoch}: ` +
    `training ${id} from ${show(first.train[id])} to ${show(last.train[id])}${validation}.${best}`
  );
}

function numbers(run: RunReport, { id, title, show }: Quantity): HTMLElement {
  return table(
    `${title(run)} by epoch`,
    [
      { title: 'Epoch', cell: ({ epoch }) => format.count(epoch), numeric: true },
      { title: 'Training', cell: ({ train }) => show(train[id]), numeric: true },
      { title: 'Validation', cell: ({ validation }) => show(validation?.[id]), numeric: true },
    ],
    run.epochs,
  );
}

/** Explains why the validation loss of this run can be lower than its training loss. */
function lossCaveat({ config }: RunReport): string {
  const extras = [
    config.flip === true || Number(config.shift) > 0 ? 'augmentation' : '',
    Number(config.dropout) > 0 ? 'dropout' : '',
    Number(config.labelSmoothing) > 0 ? 'label smoothing' : '',
  ].filter(Boolean);
  const list = extras.length > 1 ? `${extras.slice(0, -1).join(', ')} and ${extras.at(-1)}` : extras[0];
  return extras.length > 0
    ? `The training loss is measured with ${list}, so the validation loss can be lower.`
    : 'The training loss is an average over the epoch, so the validation loss, measured at its end, can be lower.';
}
