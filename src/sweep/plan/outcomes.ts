import { UserError } from '../../errors.ts';
import type { FailedLine, ResultLine } from '../journal/lines.ts';
import type { Job } from './job.ts';

/** Times that a job may fail before its trial counts as failed. */
const MAX_ATTEMPTS = 2;

/** How a job ended. */
export type Outcome = ResultLine | FailedLine;

/** The outcomes of jobs. */
export class Outcomes {
  /** Of each trial, by rung and seed. */
  readonly #outcomes: Map<string, Outcome>[] = [];

  /** @throws UserError if two results of one job differ. */
  take(line: Outcome): void {
    const outcomes = (this.#outcomes[line.trial] ??= new Map());
    const before = outcomes.get(keyOf(line));
    if (line.type === 'result' && before?.type === 'result') expectSame(before, line);
    if (line.type === 'result' || before?.type !== 'result') outcomes.set(keyOf(line), line);
  }

  /** Undefined if the job has not ended, or has to be tried again. */
  of(trial: number, rung: number, seed: number): Outcome | undefined {
    const outcome = this.#outcomes[trial]?.get(keyOf({ rung, seed }));
    return outcome?.type === 'failed' && outcome.attempt < MAX_ATTEMPTS ? undefined : outcome;
  }

  /** Failed attempts at a job. */
  attempts({ trial, rung, seed }: Job): number {
    const outcome = this.#outcomes[trial]?.get(keyOf({ rung, seed }));
    return outcome?.type === 'failed' ? outcome.attempt : 0;
  }
}

function keyOf({ rung, seed }: Pick<Job, 'rung' | 'seed'>): string {
  return `${rung}/${seed}`;
}

/** @throws UserError if two results of the same job differ. */
export function expectSame(one: ResultLine, other: ResultLine): void {
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
