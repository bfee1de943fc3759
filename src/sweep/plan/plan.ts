import type { Config } from '../../config/config.ts';
import { effectiveConfig } from '../../config/resolve.ts';
import { UserError } from '../../errors.ts';
import type { FailedLine, ResultLine } from '../journal/lines.ts';
import type { Point, Sampler } from '../samplers/sampler.ts';
import { cohortSize, type Definition, scoreOf } from './definition.ts';
import type { Job } from './job.ts';
import { type Outcome, Outcomes } from './outcomes.ts';

/** Trials that are trained with more seeds, if the sweep asks for it. */
export const MAX_FINALISTS = 5;

/** A trial that has been proposed. */
export interface Trial {
  readonly number: number;
  readonly config: Config;
  /** The first trial with the same configuration, whose results it shares; itself if there is none. */
  readonly twin: Trial;
}

/** A rung that a cohort has reached. */
interface Reached {
  readonly rung: number;
  /** Trials that take part. */
  readonly members: readonly Trial[];
  /** Whether all of them have ended. */
  readonly isOver: boolean;
}

/** What follows from the results so far. */
interface Standing {
  /** The last rung of each cohort, and those before it. */
  readonly cohorts: readonly (readonly Reached[])[];
  readonly finalists: readonly Trial[] | undefined;
  /** What can be trained now, the most urgent first. */
  readonly pending: readonly { readonly trial: Trial; readonly rung: number; readonly seed: number }[];
}

/** What a sweep has to do next, as a pure function of its definition and the results so far: neither their order nor the number
 *  of workers changes it.
 *
 *  A trial is proposed as soon as the results that its sampler may see are known: those of the first rung of the trials before
 *  it, but not of the last `lag`. Trials are compared in cohorts of fixed members, once all of them have ended. */
export class Plan {
  readonly definition: Definition;
  readonly #sampler: Sampler;
  readonly #configAt: (point: Point) => Config;
  readonly #trials: Trial[] = [];
  readonly #byConfig = new Map<string, Trial>();
  /** What the sampler sees of the trials. */
  readonly #history: { point: Point; score: number | null }[] = [];
  readonly #outcomes = new Outcomes();
  /** Undefined after a change. */
  #standing: Standing | undefined;

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
    if (line.type === 'result') this.#expectProposed(line);
    this.#outcomes.take(line);
    this.#standing = undefined;
  }

  /** How the job of a trial ended; undefined if it has not, or has to be tried again. */
  outcomeOf({ twin }: Trial, rung: number, seed = twin.config.seed): Outcome | undefined {
    return this.#outcomes.of(twin.number, rung, seed);
  }

  /** Failed attempts at a job. */
  attempts(job: Job): number {
    return this.#outcomes.attempts(job);
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
  *jobs(): Generator<Job> {
    for (const { trial, rung, seed } of this.#stand().pending) yield this.jobOf(trial, rung, seed);
  }

  get isDone(): boolean {
    return this.finalists !== undefined && this.#stand().pending.length === 0;
  }

  /** Trials that take part in a rung, of all cohorts; the highest rung that each of them has reached. */
  get standings(): ReadonlyMap<Trial, number> {
    const standings = new Map<Trial, number>();
    for (const { rung, members } of this.#stand().cohorts.flat())
      for (const trial of members) standings.set(trial, rung);
    return standings;
  }

  /** Trials that have to train on from where they are. */
  get open(): readonly Trial[] {
    const last = this.definition.rungs.length - 1;
    return this.#stand().cohorts.flatMap((cohort) => {
      const { rung, members, isOver } = cohort.at(-1)!;
      if (isOver) return [];
      return rung < last ? members : members.filter((trial) => !this.outcomeOf(trial, rung));
    });
  }

  /** Trials that are trained with all seeds: the best of the last rung; undefined until all cohorts have ended. */
  get finalists(): readonly Trial[] | undefined {
    return this.#stand().finalists;
  }

  /** The job of a trial up to a rung. */
  jobOf(trial: Trial, rung: number, seed = trial.config.seed): Job {
    const { rungs } = this.definition;
    const earlier = seed === trial.config.seed ? rungs.slice(0, rung) : [];
    const passed = earlier.flatMap((_, before) => {
      const outcome = this.outcomeOf(trial, before);
      if (outcome?.type !== 'result' || outcome.status !== 'finished') return [];
      const { epochs, weights, worker } = outcome;
      return [{ epochs, weights, worker }];
    });
    return { trial: trial.number, rung, seed, config: { ...trial.config, seed }, epochs: rungs[rung], passed };
  }

  #stand(): Standing {
    this.#propose();
    if (this.#standing) return this.#standing;
    const cohorts = this.#cohorts.map((cohort) => this.#rungsIn(cohort));
    const finalists = this.#finalistsOf(cohorts);
    const last = this.definition.rungs.length - 1;
    const pending = cohorts.flatMap((cohort) => {
      const { rung, members } = cohort.at(-1)!;
      const trials = members.filter((trial) => !this.outcomeOf(trial, rung));
      return trials.map((trial) => ({ trial, rung, seed: trial.config.seed }));
    });
    for (const trial of finalists ?? []) {
      const seeds = this.seedsOf(trial).filter((seed) => !this.outcomeOf(trial, last, seed));
      pending.push(...seeds.map((seed) => ({ trial, rung: last, seed })));
    }
    pending.sort((a, b) => b.rung - a.rung || a.trial.number - b.trial.number || a.seed - b.seed);
    this.#standing = { cohorts, finalists, pending };
    return this.#standing;
  }

  /** Proposes trials as far as the results allow. */
  #propose(): void {
    while (this.#trials.length < this.total) {
      const number = this.#trials.length;
      const known = number - 1 - this.#sampler.lag;
      if (known >= 0) {
        const score = this.scoreAt(this.#trials[known], 0);
        if (score === undefined) return;
        this.#history[known].score = score;
      }
      const point = this.#sampler.propose(number, this.#history);
      const config = this.#configAt(point);
      const key = JSON.stringify(effectiveConfig(config));
      const trial = { number, config } as { number: number; config: Config; twin: Trial };
      trial.twin = this.#byConfig.get(key) ?? trial;
      if (trial.twin === trial) this.#byConfig.set(key, trial);
      this.#trials.push(trial);
      this.#history.push({ point, score: null });
      this.#standing = undefined;
    }
  }

  /** The cohorts of which any trial has been proposed, without trials that repeat another one. */
  get #cohorts(): { readonly members: readonly Trial[]; readonly isComplete: boolean }[] {
    const size = cohortSize(this.definition);
    const [trials, { total }] = [this.#trials, this];
    return Array.from({ length: Math.ceil(trials.length / size) }, (_, i) => ({
      members: trials.slice(i * size, (i + 1) * size).filter((trial) => trial.twin === trial),
      isComplete: trials.length >= Math.min((i + 1) * size, total),
    }));
  }

  #rungsIn({ members, isComplete }: { members: readonly Trial[]; isComplete: boolean }): Reached[] {
    const { rungs, halving } = this.definition;
    const reached: Reached[] = [];
    for (let rung = 0, entered = members; rung < rungs.length; rung++) {
      const isOver = isComplete && entered.every((trial) => this.outcomeOf(trial, rung));
      reached.push({ rung, members: entered, isOver });
      entered = isOver ? this.#best(entered, rung, Math.ceil(entered.length / (halving ?? 1))) : [];
      // Nobody goes on if a rung is not over, or if all have diverged.
      if (entered.length === 0) break;
    }
    return reached;
  }

  #finalistsOf(cohorts: Standing['cohorts']): Trial[] | undefined {
    const last = this.definition.rungs.length - 1;
    const isOver = cohorts.every((reached) => reached.at(-1)!.isOver);
    if (this.#trials.length < this.total || !isOver) return undefined;
    const members = cohorts.flatMap((reached) => reached.find(({ rung }) => rung === last)?.members ?? []);
    return this.#best(members, last, MAX_FINALISTS);
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
        'continue it with the version that began it, and undo what was changed in the file by hand',
    );
  }
}
