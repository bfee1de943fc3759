import { describe, expect, it } from 'vitest';
import { Random } from '../../../src/random.ts';
import type { FailedLine, ResultLine } from '../../../src/sweep/journal/lines.ts';
import type { Job } from '../../../src/sweep/plan/job.ts';
import { rankingOf } from '../../../src/sweep/plan/ranking.ts';
import { parseSpace } from '../../../src/sweep/space/parse-space.ts';
import { DEFINITION, HALVING, planOf, runPlan, simulate } from '../../support/simulated-sweep.ts';

const configsOf = (plan: ReturnType<typeof planOf>) => plan.trials.map(({ config }) => config);

function diverged(job: Job): ResultLine {
  const {
    train: _,
    validation: __,
    weights: ___,
    ...line
  } = simulate(job) as Extract<ResultLine, { status: 'finished' }>;
  return { ...line, status: 'diverged', epochs: 0, curve: [], message: 'training diverged' };
}

function failed(job: Job, attempt: number): FailedLine {
  const { trial, rung, seed } = job;
  return { type: 'failed', trial, rung, seed, attempt, error: 'out of memory', worker: 'simulated' };
}

describe('the answer of a sweep', () => {
  for (const definition of [DEFINITION, HALVING, { ...HALVING, trials: 60, seeds: 3 }]) {
    const kind = `${definition.trials} trials${definition.halving === null ? '' : ' with halving'}, ${definition.seeds} seeds`;
    it(`does not depend on the number of workers or on who ends first: ${kind}`, () => {
      const alone = runPlan(planOf(definition));
      for (const workers of [1, 2, 4, 8, 20]) {
        for (const seed of [1, 2, 3]) {
          const plan = runPlan(planOf(definition), { workers, random: new Random(seed) });
          expect(configsOf(plan)).toEqual(configsOf(alone));
          expect(rankingOf(plan)).toEqual(rankingOf(alone));
        }
      }
    });
  }

  it('is that of an uninterrupted sweep after a kill at any moment', () => {
    const definition = { ...HALVING, seeds: 2 };
    const lines: (ResultLine | FailedLine)[] = [];
    const whole = runPlan(planOf(definition), {
      workers: 4,
      random: new Random(5),
      onOutcome: (line) => lines.push(line),
    });
    for (let end = 0; end <= lines.length; end += 3) {
      const resumed = planOf(definition);
      for (const line of lines.slice(0, end)) resumed.take(line);
      let more = 0;
      runPlan(resumed, { workers: 2, random: new Random(end), onOutcome: () => more++ });
      expect(rankingOf(resumed)).toEqual(rankingOf(whole));
      // Nothing is trained twice.
      expect(end + more).toBe(lines.length);
    }
  });

  it('is that of a larger sweep when it is extended', () => {
    const small: (ResultLine | FailedLine)[] = [];
    runPlan(planOf({ ...HALVING, trials: 20 }), { onOutcome: (line) => small.push(line) });
    const extended = planOf({ ...HALVING, trials: 60, seeds: 2 });
    for (const line of small) extended.take(line);
    runPlan(extended, { workers: 3 });
    expect(rankingOf(extended)).toEqual(rankingOf(runPlan(planOf({ ...HALVING, trials: 60, seeds: 2 }))));
  });
});

describe('halving', () => {
  it('takes 27 trials for 1 epoch, the best 9 of them for 3 and the best 3 for 9', () => {
    const jobs: Job[] = [];
    const plan = planOf({ ...HALVING, trials: 27 });
    runPlan(plan, {
      outcomeOf(job) {
        jobs.push(job);
        return simulate(job);
      },
    });
    const at = (rung: number) => jobs.filter((job) => job.rung === rung);
    expect([0, 1, 2].map((rung) => at(rung).length)).toEqual([27, 9, 3]);
    expect([0, 1, 2].map((rung) => at(rung)[0].epochs)).toEqual([1, 3, 9]);
    const scores = plan.trials.map((trial) => ({ trial: trial.number, score: plan.scoreAt(trial, 0)! }));
    const best = scores.sort((a, b) => b.score - a.score).slice(0, 9);
    expect(new Set(at(1).map(({ trial }) => trial))).toEqual(new Set(best.map(({ trial }) => trial)));
    // The schedule is that of the whole training on every rung.
    expect(new Set(jobs.map(({ config }) => config.epochs))).toEqual(new Set([9]));
  });

  it('tells a job what its training must pass through', () => {
    const plan = planOf(HALVING);
    runPlan(plan, {
      outcomeOf(job) {
        expect(job.passed.map(({ epochs }) => epochs)).toEqual([1, 3, 9].slice(0, job.rung));
        return simulate(job);
      },
    });
  });

  it('ends where all trials of a cohort diverge', () => {
    const plan = runPlan(planOf({ ...HALVING, trials: 30 }), {
      outcomeOf: (job) => (job.trial < 27 ? diverged(job) : simulate(job)),
    });
    const ranking = rankingOf(plan);
    expect(ranking).toHaveLength(30);
    expect(ranking[0]).toMatchObject({ rung: 2 });
    expect(ranking[0].trial).toBeGreaterThanOrEqual(27);
    expect(ranking.slice(3).every(({ mean }) => mean === null)).toBe(true);
  });
});

describe('trials', () => {
  it('begin with the defaults', () => {
    const [{ config }] = planOf(DEFINITION).trials;
    expect(config).toMatchObject({ lr: 0.003, weightDecay: 1e-4, batchSize: 256 });
  });

  it('with the same configuration are trained once', () => {
    const space = parseSpace(['batchSize=64,256', 'flip=true,false']);
    let trained = 0;
    const plan = runPlan(planOf({ ...DEFINITION, space, trials: 20, method: 'random' }), {
      workers: 3,
      onOutcome: () => trained++,
    });
    expect(plan.trials).toHaveLength(20);
    expect(trained).toBe(4);
    expect(rankingOf(plan)).toHaveLength(4);
  });

  it('leave out a field without effect', () => {
    const space = parseSpace(['optimizer=sgd,adamw', 'momentum=0.5..0.99']);
    const plan = planOf({ ...DEFINITION, space, method: 'random' });
    const withMomentum = plan.trials.filter(({ config }) => config.momentum !== 0.9);
    expect(withMomentum.length).toBeGreaterThan(0);
    expect(withMomentum.every(({ config }) => config.optimizer === 'sgd')).toBe(true);
  });

  it('come last if they diverge, and count as bad for the trials after them', () => {
    const outcomeOf = (job: Job) => (job.config.lr > 0.02 ? diverged(job) : simulate(job));
    const plan = runPlan(planOf({ ...DEFINITION, trials: 60 }), { outcomeOf });
    const means = rankingOf(plan).map(({ mean }) => mean);
    const count = means.filter((mean) => mean !== null).length;
    expect(count).toBeLessThan(60);
    expect(means.slice(count).every((mean) => mean === null)).toBe(true);
    const isHigh = ({ config }: { config: { lr: number } }) => config.lr > 0.02;
    const [early, late] = [plan.trials.slice(0, 20), plan.trials.slice(40)];
    expect(late.filter(isHigh).length).toBeLessThan(early.filter(isHigh).length);
  });

  it('are tried twice if they fail, and then count as failed', () => {
    const attempts = new Map<number, number>();
    const plan = runPlan(planOf({ ...DEFINITION, trials: 6 }), {
      outcomeOf(job) {
        const attempt = (attempts.get(job.trial) ?? 0) + 1;
        attempts.set(job.trial, attempt);
        return job.trial === 3 || (job.trial === 4 && attempt === 1) ? failed(job, attempt) : simulate(job);
      },
    });
    expect([...attempts.values()]).toEqual([1, 1, 1, 2, 2, 1]);
    expect(plan.outcomeOf(plan.trials[3], 0)).toMatchObject({ type: 'failed', attempt: 2 });
    expect(rankingOf(plan).at(-1)).toMatchObject({ trial: 3, mean: null });
  });
});

describe('finalists', () => {
  it('are trained with more seeds and ranked by their mean', () => {
    // Alone, the first seed of trial 0 is lucky.
    const accuracyOf = ({ trial, seed }: Job) =>
      trial === 0 ? (seed === 0 ? 0.9 : 0.2) : 0.5 + trial / 100 + seed / 1000;
    const plan = runPlan(planOf({ ...DEFINITION, trials: 8, seeds: 3 }), {
      outcomeOf: (job) => simulate(job, accuracyOf),
    });
    const ranking = rankingOf(plan);
    expect(ranking.slice(0, 5).map(({ seeds }) => seeds)).toEqual([3, 3, 3, 3, 3]);
    expect(ranking.slice(5).map(({ seeds }) => seeds)).toEqual([1, 1, 1]);
    expect(ranking[0]).toMatchObject({ trial: 7 });
    expect(ranking[0].mean).toBeCloseTo(0.571, 12);
    // Of 0.570, 0.571 and 0.572.
    expect(ranking[0].deviation).toBeCloseTo(0.001, 12);
    expect(ranking[4].trial).toBe(0);
  });

  it('come after the others if they diverge with a seed', () => {
    const outcomeOf = (job: Job) =>
      job.trial === 1 && job.seed === 1 ? diverged(job) : simulate(job, ({ trial }) => 0.9 - trial / 10);
    const plan = runPlan(planOf({ ...DEFINITION, trials: 4, seeds: 2 }), { outcomeOf });
    expect(rankingOf(plan).map(({ trial }) => trial)).toEqual([0, 2, 3, 1]);
  });
});

describe('results', () => {
  it('of another configuration are refused', () => {
    const plan = planOf(DEFINITION);
    const line = simulate(plan.jobs().next().value!);
    expect(() => plan.take({ ...line, config: { ...line.config, lr: 0.5 } })).toThrow(
      'written by another version: trial 0 has lr 0.5, wanted 0.003',
    );
  });

  it('of a trial that was never proposed are refused', () => {
    const plan = planOf(DEFINITION);
    const line = simulate(plan.jobs().next().value!);
    expect(() => plan.take({ ...line, trial: 20 })).toThrow('trial 20 was never proposed');
  });

  it('that differ for the same job name both workers', () => {
    const plan = planOf(DEFINITION);
    const line = simulate(plan.jobs().next().value!);
    plan.take(line);
    plan.take({ ...line, worker: 'again' });
    expect(() => plan.take({ ...line, weights: 'f'.repeat(64), worker: 'other' } as ResultLine)).toThrow(
      /trial 0 has other weights after 9 epochs when other trains it than when (simulated|again) did/,
    );
  });
});
