import { DATASET_LABEL } from '../../../images.ts';
import type { RunReport, TestReport } from '../../report-data.ts';
import type { ChartSize } from '../chart.ts';
import { type Child, h, section } from '../dom.ts';
import * as format from '../format.ts';
import { big, dataNotice, facts, type Page, progressNotice, stateNotice } from '../header.ts';
import { curves } from './curves.ts';
import { mistakes, weightPictures } from './pictures.ts';
import { learningRate, updateRatios } from './rates.ts';
import { epochsTable, parameterCount, setup } from './setup.ts';
import { classAccuracies, confusionMatrix } from './test-results.ts';

/** The page of one run. @param size of each chart. */
export function runPage(run: RunReport, size: ChartSize): Page {
  const { test, pictures, epochs } = run;
  const result = test ? `${format.percent(test.accuracy)} · ` : '';
  return {
    title: `${result}${run.title ?? format.baseName(run.name)} · ${modelName(run)}`,
    header: [
      h('p', { class: 'eyebrow' }, run.title === undefined ? run.name : `${run.title} · ${run.name}`),
      h('h1', {}, modelName(run)),
      stateOf(run),
      dataNotice('The run', run.dataset.name),
      headline(run),
      facts(mainFacts(run)),
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
    return progressNotice(`Training: epoch ${current} of ${plannedEpochs}`, left, {
      value: progress,
      max: plannedEpochs,
      unit: 'Epochs done',
    });
  }
  if (state === 'stopped') {
    return stateNotice(
      `Stopped after ${done} of ${format.plural(plannedEpochs, 'epoch')}.`,
      resumeCommand && [' Resume it with ', h('code', {}, resumeCommand), '.'],
    );
  }
  return done < plannedEpochs
    ? stateNotice(
        `Stopped early after ${done} of ${format.plural(plannedEpochs, 'epoch')}`,
        ': validation had stopped improving.',
      )
    : null;
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
      best ? big(format.percent(best.accuracy), '', `best validation accuracy (epoch ${best.epoch})`) : null,
      h('p', { class: 'quiet' }, reason),
    );
  }
  const [low, high] = test.interval;
  return h(
    'div',
    { class: 'headline', id: 'headline' },
    big(format.percent(test.accuracy), `± ${(50 * (high - low)).toFixed(2)}`, 'test accuracy'),
    h(
      'p',
      { class: 'quiet' },
      `95\u00a0% confidence interval ${format.interval(test.interval)}; ${format.count(test.correct)} of ${format.count(test.images)} test images correct; ` +
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
    h('span', { class: 'quiet' }, `(95\u00a0% confidence interval ${format.interval(interval)})`),
  );
}

/** Returns the best validation accuracy and its epoch; null without validation images or epochs. */
export function bestOf({ epochs, bestEpoch }: RunReport): { readonly epoch: number; readonly accuracy: number } | null {
  const validation = epochs.find(({ epoch }) => epoch === bestEpoch)?.validation;
  return validation && bestEpoch !== null ? { epoch: bestEpoch, accuracy: validation.accuracy } : null;
}

/** The next most important results. */
function mainFacts(run: RunReport): (readonly [string, string])[] {
  const [last, best] = [run.epochs.at(-1), run.test ? bestOf(run) : null];
  const speed = run.epochs.reduce((sum, { imagesPerSecond }) => sum + imagesPerSecond, 0) / run.epochs.length;
  return [
    ['data', DATASET_LABEL[run.dataset.name]],
    ['parameters', format.count(parameterCount(run))],
    ...(best ? [['best validation', `${format.percent(best.accuracy)}, epoch ${best.epoch}`] as const] : []),
    ...(last ? [['training loss', format.loss(last.train.loss)] as const] : []),
    ...(last?.validation ? [['validation loss', format.loss(last.validation.loss)] as const] : []),
    ['time', `${format.duration(run.seconds)}, ${format.plural(run.epochs.length, 'epoch')}`],
    ...(last ? [['speed', `${format.count(Math.round(speed))} images/s`] as const] : []),
  ];
}
