import { DATASET_LABEL } from '../../../images.ts';
import type { SweepReport } from '../../sweep/sweep-data.ts';
import { type Child, command, type Entries, h } from '../dom.ts';
import * as format from '../format.ts';
import { big, dataNotice, facts, progressNotice, stateNotice } from '../header.ts';
import { isDone, type Sweep, type Trial, valueText } from './trials.ts';

const METHOD = {
  grid: 'grid',
  random: 'random',
  sobol: 'Sobol sequence',
  tpe: 'TPE (multivariate)',
  bayes: 'Bayesian optimisation',
} as const;
/** Most names in the title of the page. */
const MAX_NAMES = 4;

/** The header of the page: what was searched, how far it is, and what it found. */
export function headline(sweep: Sweep): Child {
  const { report, winner } = sweep;
  return [
    h('p', { class: 'eyebrow' }, report.name),
    h('h1', {}, titleOf(report)),
    stateOf(sweep),
    dataNotice('The sweep', report.dataset.name),
    h(
      'div',
      { class: 'headline', id: 'headline' },
      winner ? result(winner, sweep) : provisional(sweep),
      report.winner ? testResult(report.winner) : null,
    ),
    (report.winner?.borders ?? []).map((text) => h('div', { class: 'notice border' }, h('p', {}, text))),
    winner && report.winner ? winningConfiguration(winner, report) : null,
    facts(factsOf(report)),
  ];
}

export function titleOf({ parameters }: SweepReport): string {
  const names = parameters.map(({ name }) => name);
  if (names.length > MAX_NAMES) return `Sweep of ${names.length} hyperparameters`;
  return `Sweep of ${listed(names, 'and')}`;
}

function listed(words: readonly string[], last: 'and' | 'or'): string {
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}` : (words[0] ?? '');
}

function stateOf({ report, trials }: Sweep): Child {
  const done = trials.filter(isDone).length;
  const progress = `${format.count(done)} of ${format.plural(report.planned, 'trial')}`;
  if (report.state === 'running') {
    const bar = { value: done, max: Math.max(1, report.planned), unit: 'Trials done' };
    return progressNotice(`In progress: ${progress} done`, ', as of when this page was written', bar);
  }
  if (report.state === 'finished') return null;
  const resume = report.resumeCommand && [' Go on with ', h('code', {}, report.resumeCommand), '.'];
  return stateNotice(`Stopped after ${progress}.`, resume);
}

function result({ result, deviation, seeds, trial }: Trial, { metric }: Sweep): Child {
  const what =
    seeds > 1
      ? `${metric.label} of trial ${trial}, mean ± deviation of ${seeds} seeds`
      : `${metric.label} of trial ${trial}, the winner`;
  return big(metric.show(result), deviation === null ? '' : `± ${metric.showDeviation(deviation)}`, what);
}

/** The best result of a sweep without a winner, or why there is none. */
function provisional({ report, ranked, trials, metric }: Sweep): Child {
  const [best] = ranked;
  const isOver = report.state === 'finished';
  const note = isOver ? '' : 'The test set is read once, for the winner, when all trials have ended.';
  if (best)
    return [
      big(metric.show(best.result), '', `${metric.label} of trial ${best.trial}, the best so far`),
      h('p', { class: 'quiet' }, note),
    ];
  const counts = (['diverged', 'failed'] as const).flatMap((state) => {
    const count = trials.filter((trial) => trial.state === state).length;
    return count > 0 ? [`${format.count(count)} ${state}`] : [];
  });
  const reason = counts.length > 0 ? `: ${listed(counts, 'and')} of ${format.plural(trials.length, 'trial')}` : '';
  return [
    h('p', { class: 'none' }, isOver ? `No trial has a result${reason}` : `No trial has a result yet${reason}`),
    h('p', { class: 'quiet' }, isOver ? 'Without a winner, the test set is not read.' : note),
  ];
}

function testResult({ test }: NonNullable<SweepReport['winner']>): HTMLElement {
  if (!test) return h('p', { id: 'test' }, 'The winner has not been measured on the test images.');
  return h(
    'p',
    { id: 'test' },
    h('strong', {}, `${format.percent(test.accuracy)} test accuracy`),
    h(
      'span',
      { class: 'quiet' },
      ` (95\u00a0% confidence interval ${format.interval(test.interval)}; ${format.count(test.images)} images, read once, ` +
        `for the winner; loss ${format.loss(test.loss)})`,
    ),
  );
}

function winningConfiguration(winner: Trial, { parameters, winner: details }: SweepReport): Child {
  const entries = parameters
    .filter(({ name }) => winner.values[name] !== undefined)
    .map(({ name }) => [name, valueText(winner.values[name])] as const);
  return h(
    'div',
    { class: 'winner', id: 'winner' },
    h('h2', {}, 'Winning configuration'),
    facts(entries),
    command(details!.command),
  );
}

function factsOf(report: SweepReport): Entries {
  const done = report.trials.filter(isDone).length;
  const seconds = report.trials.reduce((sum, trial) => sum + trial.seconds, 0);
  const epochs = report.rungs.map(format.count);
  return [
    ['method', METHOD[report.method]],
    ['trials', `${format.count(done)} of ${format.count(report.planned)}`],
    report.rungs.length > 1 ? ['rungs', `${epochs.join(' → ')} epochs`] : ['epochs', epochs.join()],
    ['data', DATASET_LABEL[report.dataset.name]],
    ['seed', String(report.seed)],
    ['training', `${format.duration(seconds)} in all`],
  ];
}
