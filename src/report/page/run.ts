import { DATASET_LABEL } from '../../images.ts';
import type { RunReport, TestReport } from '../report-data.ts';
import type { ChartSize } from './chart.ts';
import { curves } from './curves.ts';
import { type Child, h, section } from './dom.ts';
import * as format from './format.ts';
import { mistakes, weightPictures } from './pictures.ts';
import { learningRate, updateRatios } from './rates.ts';
import { epochsTable, parameterCount, setup } from './setup.ts';
import { classAccuracies, confusionMatrix, formatInterval } from './test-results.ts';

/** The parts of a page. */
export interface Page {
  readonly title: string;
  readonly header: Child;
  readonly sections: readonly HTMLElement[];
}

/** The page of one run. @param size of each chart. */
export function runPage(run: RunReport, size: ChartSize): Page {
  const { test, pictures, epochs } = run;
  const result = test ? `${format.percent(test.accuracy)} · ` : '';
  return {
    title: `${result}${format.baseName(run.name)} · ${modelName(run)}`,
    header: [
      h('p', { class: 'eyebrow' }, run.name),
      h('h1', {}, modelName(run)),
      stateOf(run),
      dataNotice(run),
      headline(run),
      facts(run),
    ],
    sections: [
      section(
        'training',
        'Training',
        epochs.length + run.steps.step.length === 0 ? h('p', {}, 'Nothing has been recorded yet.') : charts(run, size),
      ),
      ...(pictures ? [section('weights', 'Weights', weightPictures(pictures))] : []),
      ...(test
        ? [
            section(
              'test',
              'Test',
              h('div', { class: 'charts' }, confusionMatrix(test), classAccuracies(test, size)),
              test.mistakes.length > 0 ? mistakes(test) : null,
            ),
          ]
        : []),
      ...(epochs.length > 0 ? [section('epochs', 'Epochs', epochsTable(run))] : []),
      setup(run),
    ],
  };
}

function charts(run: RunReport, size: ChartSize): HTMLElement {
  return h('div', { class: 'charts' }, curves(run, size), learningRate(run, size), updateRatios(run, size));
}

function modelName(run: RunReport): string {
  if (run.config.model !== 'mlp') return 'Linear classifier';
  return `Two-layer network with ${format.count(hiddenUnits(run))} hidden units`;
}

/** H, of all receptive fields and thresholds. */
export function hiddenUnits({ config, parameters }: RunReport): number {
  return parameters.find(({ name }) => name === 'fc1.bias')?.shape[0] ?? Number(config.hidden);
}

/** Notice about the progress of a run; null if it completed all planned epochs. */
function stateOf({ state, epochs, plannedEpochs, steps, stepsPerEpoch, seconds, resumeCommand }: RunReport): Child {
  const done = epochs.at(-1)?.epoch ?? 0;
  if (state === 'training') {
    const progress = Math.max(done, (steps.step.at(-1) ?? 0) / stepsPerEpoch);
    const current = Math.min(plannedEpochs, done + 1);
    const left = done > 0 ? `, about ${format.roughDuration((seconds / done) * (plannedEpochs - progress))} left` : '';
    return h(
      'div',
      { class: 'notice', id: 'state' },
      h('p', {}, h('strong', { role: 'status' }, `Training: epoch ${current} of ${plannedEpochs}`), left),
      h('progress', { max: plannedEpochs, value: progress, 'aria-label': 'Epochs done' }),
    );
  }
  if (state === 'stopped') {
    return notice(
      `Stopped after ${done} of ${format.plural(plannedEpochs, 'epoch')}.`,
      resumeCommand && [' Resume it with ', h('code', {}, resumeCommand), '.'],
    );
  }
  return done < plannedEpochs
    ? notice(
        `Stopped early after ${done} of ${format.plural(plannedEpochs, 'epoch')}`,
        ': validation had stopped improving.',
      )
    : null;
}

const notice = (strong: string, ...more: readonly Child[]): HTMLElement =>
  h('div', { class: 'notice', id: 'state' }, h('p', { role: 'status' }, h('strong', {}, strong), ...more));

/** Warning on runs that used generated images instead of CIFAR-10. */
function dataNotice({ dataset }: RunReport): Child {
  if (dataset.name === 'cifar10') return null;
  return h(
    'div',
    { class: 'notice alarm', id: 'data-notice' },
    h(
      'p',
      {},
      h('strong', {}, 'This is not CIFAR-10.'),
      ' The run used generated stand-in images (dataset ',
      h('code', {}, dataset.name),
      '), so its accuracy says nothing about real images.',
    ),
  );
}

/** The result as one large number with its uncertainty. */
function headline(run: RunReport): Child {
  const { test, state } = run;
  if (!test) {
    const reason =
      state === 'finished'
        ? 'The test images were not available when this report was created.'
        : 'The model is tested once, after training.';
    const best = bestOf(run);
    return h(
      'div',
      { class: 'headline', id: 'headline' },
      best ? big(best.accuracy, '', `best validation accuracy (epoch ${best.epoch})`) : null,
      h('p', { class: 'quiet' }, reason),
    );
  }
  const [low, high] = test.interval;
  return h(
    'div',
    { class: 'headline', id: 'headline' },
    big(test.accuracy, `± ${(50 * (high - low)).toFixed(2)}`, 'test accuracy'),
    h(
      'p',
      { class: 'quiet' },
      `95\u00a0% confidence interval ${formatInterval(test.interval)}; ${format.count(test.correct)} of ${format.count(test.images)} test images correct; ` +
        `test loss ${format.loss(test.loss)}`,
    ),
    test.averaged ? averagedLine(test.averaged) : null,
  );
}

/** The accuracy over views, below that of the images themselves. */
function averagedLine({ views, accuracy, interval }: NonNullable<TestReport['averaged']>): HTMLElement {
  return h(
    'p',
    { id: 'averaged' },
    h('strong', {}, format.percent(accuracy)),
    ` with scores averaged over ${views} views of each image `,
    h('span', { class: 'quiet' }, `(95\u00a0% confidence interval ${formatInterval(interval)})`),
  );
}

const big = (accuracy: number, margin: string, name: string): HTMLElement =>
  h(
    'p',
    { class: 'big' },
    h('span', { class: 'value' }, format.percent(accuracy)),
    margin ? h('span', { class: 'margin' }, margin) : null,
    h('span', { class: 'what' }, name),
  );

/** Returns the best validation accuracy and its epoch; null without validation images or epochs. */
export function bestOf({ epochs, bestEpoch }: RunReport): { readonly epoch: number; readonly accuracy: number } | null {
  const validation = epochs.find(({ epoch }) => epoch === bestEpoch)?.validation;
  return validation && bestEpoch !== null ? { epoch: bestEpoch, accuracy: validation.accuracy } : null;
}

/** The next most important results. */
function facts(run: RunReport): HTMLElement {
  const [last, best] = [run.epochs.at(-1), run.test ? bestOf(run) : null];
  const speed = run.epochs.reduce((sum, { imagesPerSecond }) => sum + imagesPerSecond, 0) / run.epochs.length;
  const entries: (readonly [string, string])[] = [
    ['data', DATASET_LABEL[run.dataset.name]],
    ['parameters', format.count(parameterCount(run))],
    ...(best ? [['best validation', `${format.percent(best.accuracy)}, epoch ${best.epoch}`] as const] : []),
    ...(last ? [['training loss', format.loss(last.train.loss)] as const] : []),
    ...(last?.validation ? [['validation loss', format.loss(last.validation.loss)] as const] : []),
    ['time', `${format.duration(run.seconds)}, ${format.plural(run.epochs.length, 'epoch')}`],
    ...(last ? [['speed', `${format.count(Math.round(speed))} images/s`] as const] : []),
  ];
  return h(
    'dl',
    { class: 'facts' },
    entries.map(([term, value]) => h('div', {}, h('dt', {}, term), h('dd', {}, value))),
  );
}
