import { effectiveConfig } from '../../config/resolve.ts';
import { VERSION } from '../../runs/environment.ts';
import { GOALS, metricOf } from '../../sweep/plan/definition.ts';
import type { Plan, Trial } from '../../sweep/plan/plan.ts';
import { rankingOf } from '../../sweep/plan/ranking.ts';
import { sweptValues } from '../../sweep/plan/swept-values.ts';
import type { SweepState } from '../../sweep/sweep.ts';
import { wilsonInterval } from '../../training/wilson.ts';
import type { SweepReport, SweptParameter, TrialReport, Value } from './sweep-data.ts';

/** What the page of a sweep says that its journal does not know. */
export interface SweepContext {
  /** Folder of the sweep, as given by the user. */
  readonly folder: string;
  /** Whether a process works on it. */
  readonly isRunning: boolean;
  /** The command that trains a configuration. */
  commandFor(config: Readonly<Record<string, Value>>): string;
  /** The command that goes on with the sweep. */
  readonly resumeCommand: string;
  /** Sentences about values of the winner that lie at the border of the space. */
  readonly borders: readonly string[];
}

/** Collects the contents of the page of a sweep. */
export function collectSweep(
  state: SweepState,
  { folder, isRunning, commandFor, resumeCommand, borders }: SweepContext,
): SweepReport {
  const { sweep, plan, ended } = state;
  const { base, space, method, seed, metric, rungs } = plan.definition;
  const winner = ended?.winner === undefined || ended.winner === null ? undefined : plan.trials[ended.winner];
  const config = winner && configOf(winner);
  const places: Places = { reached: plan.standings, open: new Set(plan.open) };
  return {
    generator: `nn-train ${VERSION}`,
    name: folder,
    state: ended ? 'finished' : isRunning ? 'running' : 'stopped',
    resumeCommand: ended || isRunning ? undefined : resumeCommand,
    method,
    seed,
    metric: { name: metric, goal: GOALS[metric] },
    dataset: sweep.dataset,
    rungs,
    planned: plan.total,
    parameters: space.map(
      (parameter): SweptParameter => ({
        name: parameter.field,
        scale: parameter.kind === 'choice' ? 'choice' : parameter.log ? 'log' : 'linear',
        domain: parameter.kind === 'choice' ? parameter.values : [parameter.min, parameter.max],
      }),
    ),
    base: base as SweepReport['base'],
    trials: plan.trials.map((trial) => trialReport(plan, trial, places)),
    ranking: rankingOf(plan).flatMap(({ mean, ...ranked }) => (mean === null ? [] : [{ ...ranked, mean }])),
    winner:
      winner && config
        ? {
            trial: winner.number,
            command: commandFor(config),
            config,
            test: ended!.test && testOf(ended!.test, sweep.dataset.images.test),
            borders,
          }
        : null,
  };
}

/** The hyperparameters of a trial that have an effect. */
function configOf({ config }: Trial): Readonly<Record<string, Value>> {
  return effectiveConfig(config) as Readonly<Record<string, Value>>;
}

function testOf({ loss, accuracy }: { loss: number; accuracy: number }, images: number) {
  return { loss, accuracy, images, interval: wilsonInterval(Math.round(accuracy * images), images) };
}

/** Where trials stand, found once for all of them. */
interface Places {
  /** Of each trial, the highest rung that it takes part in. */
  readonly reached: ReadonlyMap<Trial, number>;
  /** Trials that have to train on. */
  readonly open: ReadonlySet<Trial>;
}

function trialReport(plan: Plan, trial: Trial, places: Places): TrialReport {
  const { rungs, metric } = plan.definition;
  // A trial of an extended sweep may have been trained further than it takes part now.
  const reached = places.reached.get(trial.twin) ?? 0;
  const outcomes = rungs
    .slice(0, reached + 1)
    .map((_, rung) => plan.outcomeOf(trial, rung))
    .filter((outcome) => outcome !== undefined);
  const last = outcomes.at(-1);
  const results = outcomes.filter((outcome) => outcome.type === 'result');
  const finished = results.findLast((outcome) => outcome.status === 'finished');
  const others = plan
    .seedsOf(trial)
    .slice(1)
    .map((seed) => plan.outcomeOf(trial, rungs.length - 1, seed));
  const isSame = trial.twin.number !== trial.number;
  return {
    trial: trial.number,
    values: sweptValues(plan, trial),
    state: stateOf(plan, trial, outcomes.length, places),
    epochs: results.at(-1)?.epochs ?? 0,
    score: finished?.status === 'finished' ? metricOf(metric, finished.validation) : null,
    validation: finished?.status === 'finished' ? finished.validation : null,
    seconds: [...results, ...others].reduce((sum, line) => sum + (line?.type === 'result' ? line.seconds : 0), 0),
    curve: results.flatMap(({ curve }) => curve),
    ...(isSame && { sameAs: trial.twin.number }),
    ...(last?.type === 'failed' && { error: last.error }),
    ...(last?.type === 'result' && last.status === 'diverged' && { error: last.message }),
  };
}

/** @param done number of rungs that have ended for the trial. */
function stateOf(plan: Plan, trial: Trial, done: number, places: Places): TrialReport['state'] {
  const { rungs } = plan.definition;
  const last = plan.outcomeOf(trial, done - 1);
  if (last?.type === 'failed') return 'failed';
  if (last?.type === 'result' && last.status === 'diverged') return 'diverged';
  if (done === rungs.length) return 'finished';
  const reached = places.reached.get(trial.twin) ?? 0;
  if (done > reached) return places.open.has(trial.twin) ? 'waiting' : 'eliminated';
  return 'waiting';
}
