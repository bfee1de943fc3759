import * as Plot from '@observablehq/plot';
import type { EpochMetrics } from '../../training/progress.ts';
import type { RunReport } from '../report-data.ts';
import { figure, type Line, lineChart, type Point, rangeOf, type Space } from './chart.ts';
import { table } from './dom.ts';
import * as format from './format.ts';

const TRAIN = 'var(--series-1)';
const VALIDATION = 'var(--series-2)';

/** What the two curves, loss and accuracy, have in common. */
interface Quantity {
  readonly id: 'loss' | 'accuracy';
  readonly title: (run: RunReport) => string;
  readonly show: (value: number | undefined) => string;
  readonly tick: (value: number) => string;
  readonly caption: (run: RunReport) => string;
}

export const lossTick = (value: number): string => String(Number(value.toPrecision(4)));

export const percentTick = (value: number): string => `${Number((100 * value).toFixed(1))}\u00a0%`;

const LOSS: Quantity = {
  id: 'loss',
  title: ({ config }) => (config.loss === 'hinge' ? 'Loss (multiclass hinge)' : 'Loss (cross-entropy, nats)'),
  show: format.loss,
  tick: lossTick,
  caption: (run) =>
    'Lower is better; where the validation loss rises while the training loss still falls, the model learns its training ' +
    `images by heart (overfitting). ${lossCaveat(run)}`,
};

const ACCURACY: Quantity = {
  id: 'accuracy',
  title: () => 'Accuracy',
  show: format.percent,
  tick: percentTick,
  caption: ({ dataset }) =>
    'The share of images whose label got the highest score; the gap between the curves is what does not carry over from ' +
    `training to new images.${guessing(dataset.classes.length)}`,
};

const guessing = (classes: number): string =>
  classes > 0 ? ` Guessing would give ${format.percent(1 / classes, 0)}.` : '';

/** The curves of loss and accuracy. */
export function curves(run: RunReport, space: Space): HTMLElement[] {
  return [LOSS, ACCURACY].map((quantity) => curve(run, quantity, space));
}

function curve(run: RunReport, quantity: Quantity, space: Space): HTMLElement {
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
      behind: [
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
    space,
  );
  return figure(id, title(run), caption(run), alternative(run, quantity), svg, numbers(run, quantity));
}

/** The range of an x axis in epochs: what has been trained so far. */
export function epochAxis({ steps, stepsPerEpoch, epochs }: RunReport): readonly [number, number] {
  return [0, Math.max(1, epochs.at(-1)?.epoch ?? 0, (steps.step.at(-1) ?? 0) / stepsPerEpoch)];
}

/** Steps, training and validation. The mean over an epoch stands in the middle of it, what was measured after it at its
 *  end. */
function linesOf({ epochs, steps, stepsPerEpoch }: RunReport, id: 'loss' | 'accuracy'): Line[] {
  const ofStep = steps.step.map((step, i) => ({ x: step / stepsPerEpoch, y: steps[id][i] }));
  const train = epochs.map((epoch) => ({ x: epoch.epoch - 0.5, y: epoch.train[id] }));
  const validation = epochs.flatMap(({ epoch, validation }) => (validation ? [{ x: epoch, y: validation[id] }] : []));
  return [
    { colour: TRAIN, points: finite(ofStep), faint: true },
    { name: 'training', colour: TRAIN, points: finite(train), dots: true },
    { name: 'validation', colour: VALIDATION, points: finite(validation), dots: true },
  ];
}

/** Without the values that JSON has no number for. */
export const finite = (points: readonly Point[]): Point[] => points.filter(({ y }) => Number.isFinite(y));

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
      ? `; on the validation images from ${show(first.validation[id])} to ${show(last.validation[id])}`
      : '';
  const best = bestEpoch === null ? '' : ` Epoch ${bestEpoch} had the best validation accuracy.`;
  return (
    `In epochs ${first.epoch} to ${last.epoch} it went from ${show(first.train[id])} to ${show(last.train[id])} ` +
    `in training${validation}.${best}`
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

/** Why the training loss is not comparable with the validation loss, in the terms of this run. */
function lossCaveat({ config }: RunReport): string {
  const extras = [
    config.flip === true || Number(config.shift) > 0 ? 'augmentation' : '',
    Number(config.dropout) > 0 ? 'dropout' : '',
    Number(config.labelSmoothing) > 0 ? 'label smoothing' : '',
  ].filter(Boolean);
  const list = extras.length > 1 ? `${extras.slice(0, -1).join(', ')} and ${extras.at(-1)}` : extras[0];
  return extras.length > 0
    ? `The training loss includes ${list}, which make it harder, so the validation loss can lie below it.`
    : 'The training loss is a mean over the epoch, from before the later steps, so the validation loss can lie below it.';
}
