import type { Job } from '../plan/job.ts';
import type { Plan } from '../plan/plan.ts';
import { rankingOf } from '../plan/ranking.ts';
import { trainingName } from './checkpoints.ts';

/** Checkpoints of the leaders that are kept when their trainings are over: one of them is the winner. */
const KEPT_LEADERS = 5;
/** Trainings that are over before it is worth a look at which of them can go. */
const WORTH_A_LOOK = 20;
/** Least time between two looks: ranking takes a while in a large sweep. */
const INTERVAL_MS = 1000;

/** Trainings that are over and may have left a checkpoint. */
export class Leftovers {
  readonly #plan: Plan;
  #jobs: Job[] = [];
  #lookedAt = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  add(job: Job): void {
    this.#jobs.push(job);
  }

  /** Takes out the names of trainings whose checkpoints nobody will need: all but those of the leaders, and of trials that may go
   *  on. */
  take(): string[] {
    const now = performance.now();
    if (this.#jobs.length < WORTH_A_LOOK || now - this.#lookedAt < INTERVAL_MS) return [];
    this.#lookedAt = now;
    const leaders = rankingOf(this.#plan).slice(0, KEPT_LEADERS);
    const kept = new Set([...leaders.map(({ trial }) => trial), ...this.#plan.open.map(({ number }) => number)]);
    const over = this.#jobs.filter(({ trial }) => !kept.has(trial));
    this.#jobs = this.#jobs.filter(({ trial }) => kept.has(trial));
    return over.map(({ config }) => trainingName(config));
  }
}

/** Names of all trainings of a plan. */
export function trainingsOf(plan: Plan): string[] {
  const finalists = new Set(plan.finalists);
  const configs = plan.trials.flatMap((trial) => {
    const seeds = finalists.has(trial) ? plan.seedsOf(trial) : [trial.config.seed];
    return seeds.map((seed) => ({ ...trial.config, seed }));
  });
  return configs.map(trainingName);
}
