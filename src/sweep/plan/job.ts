import type { Config } from '../../config/config.ts';

/** One training: a trial up to a rung, with one seed. */
export interface Job {
  readonly trial: number;
  readonly rung: number;
  readonly seed: number;
  /** Of the whole training, whose schedule every rung follows. */
  readonly config: Config;
  /** Epochs after which to stop. */
  readonly epochs: number;
  /** Results of the rungs before, which the training must pass through. */
  readonly passed: readonly { readonly epochs: number; readonly weights: string; readonly worker: string }[];
}

/** Identifies a job within its sweep. */
export type JobKey = Pick<Job, 'trial' | 'rung' | 'seed'>;

export function jobName({ trial, rung, seed }: JobKey): string {
  return `${trial}-${rung}-${seed}`;
}

/** The job that has a name. */
export function jobNamed(name: string): JobKey {
  const [trial, rung, seed] = name.split('-').map(Number);
  return { trial, rung, seed };
}
