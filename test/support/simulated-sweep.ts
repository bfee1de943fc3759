import { createHash } from 'node:crypto';
import { effectiveConfig } from '../../src/config/resolve.ts';
import { Random } from '../../src/random.ts';
import type { FailedLine, ResultLine, SweepLine } from '../../src/sweep/journal/lines.ts';
import type { Definition } from '../../src/sweep/plan/definition.ts';
import { type Job, jobName } from '../../src/sweep/plan/job.ts';
import { Plan } from '../../src/sweep/plan/plan.ts';
import { proposalsOf } from '../../src/sweep/plan/proposals.ts';
import { parseSpace } from '../../src/sweep/space/parse-space.ts';

export const DEFINITION: Definition = {
  base: { model: 'linear', precision: 'int16', epochs: 9, val: 5000 },
  space: parseSpace(['lr=1e-4..1e-1:log', 'weightDecay=1e-5..0.5:log', 'batchSize=64,256,1024']),
  method: 'tpe',
  seed: 0,
  metric: 'validation.accuracy',
  halving: null,
  rungs: [9],
  trials: 24,
  seeds: 1,
};

/** Halving from 27 trials of one epoch to 3 of nine. */
export const HALVING: Definition = { ...DEFINITION, halving: 3, rungs: [1, 3, 9] };

/** The first line of the journal of a sweep. */
export function headerOf(definition: Definition): SweepLine {
  const dataset = {
    name: 'synthetic',
    source: 'generated',
    sha256: 'a'.repeat(64),
    images: { train: 1, test: 1 },
  } as const;
  return { type: 'sweep', version: 1, ...definition, lag: null, dataset, nnTrain: '1.2.3' } as SweepLine;
}

export function planOf(definition: Definition): Plan {
  return new Plan(definition, ...proposalsOf(definition));
}

/** The result of a job without training it: the accuracy is highest at a rate of 0.01, and depends on the seed a little. */
export function simulate(job: Job, accuracyOf = quadratic): ResultLine {
  const accuracy = accuracyOf(job);
  const metrics = { loss: 2 - accuracy, accuracy };
  const first = job.passed.at(-1)?.epochs ?? 0;
  return {
    type: 'result',
    status: 'finished',
    trial: job.trial,
    rung: job.rung,
    seed: job.seed,
    config: effectiveConfig(job.config) as ResultLine['config'],
    epochs: job.epochs,
    train: metrics,
    validation: metrics,
    curve: Array.from({ length: job.epochs - first }, (_, i) => ({
      epoch: first + i + 1,
      train: metrics,
      validation: metrics,
    })),
    weights: createHash('sha256').update(jobName(job)).digest('hex'),
    seconds: 1,
    worker: 'simulated',
  };
}

function quadratic({ config: { lr, weightDecay, batchSize }, epochs, seed }: Job): number {
  const distance = Math.log10(lr / 0.01) ** 2 + Math.log10(weightDecay / 0.001) ** 2 / 9 + batchSize / 5000;
  return 0.5 - 0.04 * distance - 0.1 / epochs + 0.001 * Math.sin(seed + 100 * lr);
}

export interface Simulation {
  readonly workers?: number;
  /** Decides which of the running jobs ends next. */
  readonly random?: Random;
  readonly outcomeOf?: (job: Job) => ResultLine | FailedLine;
  /** Called after each outcome. */
  readonly onOutcome?: (line: ResultLine | FailedLine) => void;
}

/** Runs a plan with workers that end in any order. */
export function runPlan(
  plan: Plan,
  { workers = 1, random = new Random(0), outcomeOf = simulate, onOutcome }: Simulation = {},
): Plan {
  const running: Job[] = [];
  while (!plan.isDone) {
    for (const job of plan.jobs()) {
      if (running.length === workers) break;
      if (!running.some((other) => jobName(other) === jobName(job))) running.push(job);
    }
    if (running.length === 0) throw new Error('no job, but the plan is not done');
    const [job] = running.splice(random.integer(running.length), 1);
    const line = outcomeOf(job);
    plan.take(line);
    onOutcome?.(line);
  }
  return plan;
}
