import type { Config } from '../../config/config.ts';
import { effectiveConfig } from '../../config/resolve.ts';
import { UserError } from '../../errors.ts';
import type { FailedLine, ResultLine } from '../journal/lines.ts';
import type { Observation, Point, Sampler } from '../samplers/sampler.ts';
import { cohortSize, type Definition, scoreOf } from './definition.ts';
import { type Job, jobName } from './job.ts';

/** Times that a job may fail before its trial counts as failed. */
const MAX_ATTEMPTS = 2;
/** Trials that are trained with more seeds, if the sweep asks for it. */
const MAX_FINALISTS = 5;

/** How a job ended. */
export type Outcome = ResultLine | (FailedLine & { readonly isFinal: boolean });

/** A trial that has been proposed. */
export interface Trial {
  readonly number: number;
  readonly point: Point;
  readonly config: Config;
  /** The first trial with the same configuration, whose results it shares; itself if there is none. */
  readonly twin: Trial;
}

/** What a sweep has to do next, as a pure function of its definition and the results so far: neither their order nor the number
 *  of workers changes it.
 *
 *  A trial is proposed as soon as the results that its sampler may see are known: those of the first rung of the trials before
 *  it, but not of the last `lag`. Trials are compared in cohorts of fixed members, once all of them have ended. */
export class Plan {
  readonly definition: Definition;
  readonly maxFinalists = MAX_FINALISTS;
  readonly #sampler: Sampler;
  readonly #configAt: (point: Point) => Config;
  readonly #trials: Trial[] = [];
  readonly #byConfig = new Map<string, Trial>();
  readonly #outcomes = new Map<string, Outcome>();

  /** @param configAt the configuration of a point of the space. */
  constructor(definition: Definition, sampler: Sampler, configAt: (point: Point) => Config) {
    this.definition = definition;
    this.#sampler = sampler;
    this.#configAt = configAt;
  }

  /** Trials that have been proposed. */
  get trials(): readonly Trial[] {
    this.#propose();
    return this.#trials;
  }

  /** The number of trials in all: fewer than asked for if the sampler has no more. */
  get total(): number {
    return Math.min(this.definition.trials, this.#sampler.size);
  }

  /** Takes the outcome of a job.
   *  @throws UserError if it contradicts the plan, or another result of the same job. */
  take(line: ResultLine | FailedLine): void {
    const before = this.#outcomes.get(jobName(line));
    if (line.type === 'result') {
      this.#expectProposed(line);
      if (before?.type === 'result') expectSame(before, line);
      this.#outcomes.set(jobName(line), line);
    } else if (before?.type !== 'result') {
      this.#outcomes.set(jobName(line), { ...line, isFinal: line.attempt >= MAX_ATTEMPTS });
    }
  }

  /** How the job of a trial ended; undefined if it has not, or has to be tried again. */
  outcomeOf({ twin }: Trial, rung: number, seed = this.seedsOf(twin)[0]): Outcome | undefined {
    const outcome = this.#outcomes.get(jobName({ trial: twin.number, rung, seed }));
    return outcome?.type === 'failed' && !outcome.isFinal ? undefined : outcome;
  }

  /** Failed attempts at a job. */
  attempts(job: Job): number {
    const outcome = this.#outcomes.get(jobName(job));
    return outcome?.type === 'failed' ? outcome.attempt : 0;
  }

  /** Score of a trial after a rung: −Infinity if it diverged or failed, undefined if it has no result yet. */
  scoreAt(trial: Trial, rung: number, seed?: number): number | undefined {
    const outcome = this.outcomeOf(trial, rung, seed);
    if (!outcome) return undefined;
    const hasMetric = outcome.type === 'result' && outcome.status === 'finished';
    return hasMetric ? scoreOf(this.definition.metric, outcome.validation) : -Infinity;
  }

  /** The seeds that a trial is trained with if it is a finalist; the first is that of all other trainings. */
  seedsOf({ config }: Trial): number[] {
    return Array.from({ length: this.definition.seeds }, (_, i) => config.seed + i);
  }

  /** Jobs that can run now, the most urgent first: those of higher rungs let their cohort end sooner. */
  get jobs(): Job[] {
    const jobs = this.#cohorts
      .flatMap((cohort) => this.#rungsIn(cohort))
      .flatMap(({ rung, members }) =>
        members.filter((trial) => !this.outcomeOf(trial, rung)).map((trial) => this.jobOf(trial, rung)),
      );
    for (const trial of this.finalists ?? []) {
      const last = this.definition.rungs.length - 1;
      const seeds = this.seedsOf(trial).filter((seed) => !this.outcomeOf(trial, last, seed));
      jobs.push(...seeds.map((seed) => this.jobOf(trial, last, seed)));
    }
    return jobs.sort((a, b) => b.rung - a.rung || a.trial - b.trial || a.seed - b.seed);
  }

  get isDone(): boolean {
    return this.finalists !== undefined && this.jobs.length === 0;
  }

  /** Trials that take part in a rung, of all cohorts; the highest rung that each of them has reached. */
  get standings(): ReadonlyMap<Trial, number> {
    const standings = new Map<Trial, number>();
    for (const cohort of this.#cohorts) {
      for (const { rung, members } of this.#rungsIn(cohort)) for (const trial of members) standings.set(trial, rung);
    }
    return standings;
  }

  /** Trials that have to train on from where they are. */
  get open(): readonly Trial[] {
    const last = this.definition.rungs.length - 1;
    return this.#cohorts.flatMap((cohort) => {
      const { rung, members, isOver } = this.#rungsIn(cohort).at(-1)!;
      if (isOver) return [];
      return rung < last ? members : members.filter((trial) => !this.outcomeOf(trial, rung));
    });
  }

  /** Trials that are trained with all seeds: the best of the last rung; undefined until all cohorts have ended. */
  get finalists(): readonly Trial[] | undefined {
    const last = this.definition.rungs.length - 1;
    const cohorts = this.#cohorts.map((cohort) => this.#rungsIn(cohort));
    const isOver = cohorts.every((rungs) => rungs.at(-1)!.isOver);
    if (this.trials.length < this.total || !isOver) return undefined;
    const members = cohorts.flatMap((rungs) => rungs.find(({ rung }) => rung === last)?.members ?? []);
    return this.#best(members, last, MAX_FINALISTS);
  }

  /** Proposes trials as far as the results allow. */
  #propose(): void {
    while (this.#trials.length < this.total) {
      const number = this.#trials.length;
      const known = number - 1 - this.#sampler.lag;
      if (known >= 0 && this.scoreAt(this.#trials[known], 0) === undefined) return;
      const history = this.#trials.map(
        (trial, i): Observation => ({
          point: trial.point,
          score: i <= known ? this.scoreAt(trial, 0)! : null,
        }),
      );
      const point = this.#sampler.propose(number, history);
      const config = this.#configAt(point);
      const key = JSON.stringify(effectiveConfig(config));
      const trial: { number: number; point: Point; config: Config; twin?: Trial } = { number, point, config };
      const proposed: Trial = Object.assign(trial, { twin: this.#byConfig.get(key) ?? (trial as Trial) });
      if (proposed.twin === proposed) this.#byConfig.set(key, proposed);
      this.#trials.push(proposed);
    }
  }

  /** The cohorts of which any trial has been proposed, without trials that repeat another one. */
  get #cohorts(): { readonly members: readonly Trial[]; readonly isComplete: boolean }[] {
    const size = cohortSize(this.definition);
    const { trials, total } = this;
    return Array.from({ length: Math.ceil(trials.length / size) }, (_, i) => ({
      members: trials.slice(i * size, (i + 1) * size).filter((trial) => trial.twin === trial),
      isComplete: trials.length >= Math.min((i + 1) * size, total),
    }));
  }

  /** The rungs that a cohort has reached, and who takes part in each. */
  #rungsIn({ members, isComplete }: { members: readonly Trial[]; isComplete: boolean }) {
    const { rungs, halving } = this.definition;
    const reached: { rung: number; members: readonly Trial[]; isOver: boolean }[] = [];
    for (let rung = 0, entered = members, isOpen = true; isOpen && rung < rungs.length; rung++) {
      const isOver = isComplete && entered.every((trial) => this.outcomeOf(trial, rung));
      reached.push({ rung, members: entered, isOver });
      entered = isOver ? this.#best(entered, rung, Math.ceil(entered.length / (halving ?? 1))) : [];
      isOpen = isOver && entered.length > 0;
    }
    // A rung that is over but not the last is followed by the next, unless nobody is left.
    return reached;
  }

  /** The best of the trials that have a score at a rung; of equal ones, the first. */
  #best(trials: readonly Trial[], rung: number, limit: number): Trial[] {
    const scored = trials.map((trial) => ({ trial, score: this.scoreAt(trial, rung)! }));
    return scored
      .filter(({ score }) => score > -Infinity)
      .sort((a, b) => b.score - a.score || a.trial.number - b.trial.number)
      .slice(0, limit)
      .map(({ trial }) => trial);
  }

  /** The job of a trial up to a rung. */
  jobOf(trial: Trial, rung: number, seed = this.seedsOf(trial)[0]): Job {
    const isFirst = seed === this.seedsOf(trial)[0];
    const passed = this.definition.rungs.slice(0, isFirst ? rung : 0).flatMap((_, earlier) => {
      const outcome = this.outcomeOf(trial, earlier);
      if (outcome?.type !== 'result' || outcome.status !== 'finished') return [];
      const { epochs, weights, worker } = outcome;
      return [{ epochs, weights, worker }];
    });
    return {
      trial: trial.number,
      rung,
      seed,
      config: { ...trial.config, seed },
      epochs: this.definition.rungs[rung],
      passed,
    };
  }

  /** @throws UserError if a result is of another configuration than the trial has. */
  #expectProposed(line: ResultLine): void {
    const trial = this.trials[line.trial];
    const wanted = trial && effectiveConfig({ ...trial.config, seed: line.seed });
    const names = Object.keys({ ...wanted, ...line.config }) as (keyof Config)[];
    const differing = names.find((name) => wanted?.[name] !== line.config[name]);
    if (trial && differing === undefined) return;
    const what = trial
      ? `has ${differing} ${line.config[differing!]}, wanted ${wanted[differing!]}`
      : 'was never proposed';
    throw new UserError(
      `the journal does not belong to this sweep, or was written by another version: trial ${line.trial} ${what}; ` +
        'continue it with the version that began it',
    );
  }
}

/** @throws UserError if two results of the same job differ. */
function expectSame(one: ResultLine, other: ResultLine): void {
  const resultOf = (line: ResultLine) => (line.status === 'finished' ? line.weights : line.message);
  if (resultOf(one) === resultOf(other)) return;
  throw new UserError(disagreement(one.trial, one.epochs, [one.worker, other.worker]));
}

/** Says that two workers trained the same thing and got different bits. */
export function disagreement(trial: number, epochs: number, [one, other]: readonly [string, string]): string {
  return (
    `trial ${trial} has other weights after ${epochs} epochs when ${other} trains it than when ${one} did; one of the two ` +
    'computes wrongly, or runs another version of nn-train'
  );
}
