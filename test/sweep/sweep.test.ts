import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Random } from '../../src/random.ts';
import type { Executor } from '../../src/sweep/executor.ts';
import { JOURNAL } from '../../src/sweep/journal/journal.ts';
import { type Job, jobName } from '../../src/sweep/plan/job.ts';
import { rankingOf } from '../../src/sweep/plan/ranking.ts';
import { createSweep, readSweep, Sweep } from '../../src/sweep/sweep.ts';
import { temporaryFolder } from '../support/files.ts';
import { HALVING, headerOf, planOf, runPlan, simulate } from '../support/simulated-sweep.ts';

const DEFINITION = { ...HALVING, method: 'random', trials: 60 } as const;

/** Ends jobs in any order, several in one turn. */
class SimulatedExecutor implements Executor {
  readonly capacity = 20;
  readonly written: (job: Job) => void;
  readonly started: string[] = [];
  readonly #random = new Random(1);
  #isStopped = false;

  constructor(written: (job: Job) => void) {
    this.written = written;
  }

  async run(job: Job) {
    this.started.push(jobName(job));
    for (let turns = 1 + this.#random.integer(4); turns > 0; turns--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    return this.#isStopped ? undefined : simulate(job);
  }

  stop(): void {
    this.#isStopped = true;
  }

  async close(): Promise<void> {}
}

async function openSweep(): Promise<Sweep> {
  const sweep = await Sweep.open(await createSweep(path.join(temporaryFolder(), 'sweep'), headerOf(DEFINITION)));
  onTestFinished(() => sweep.release());
  return sweep;
}

const namesIn = (folder: string) => {
  const lines = readFileSync(path.join(folder, JOURNAL), 'utf8').trim().split('\n').slice(1);
  return lines.map((line) => jobName(JSON.parse(line)));
};

describe('a sweep', () => {
  it('says that a result is written when it is in the journal, and trains nothing twice', async () => {
    const sweep = await openSweep();
    const written: string[] = [];
    const executor = new SimulatedExecutor((job) => {
      expect(namesIn(sweep.folder)).toContain(jobName(job));
      written.push(jobName(job));
    });
    await sweep.run(executor, { signal: new AbortController().signal });
    const names = namesIn(sweep.folder);
    expect(new Set(names).size).toBe(names.length);
    expect(written).toEqual(names);
    expect(executor.started.toSorted()).toEqual(names.toSorted());
    const { state } = await readSweep(sweep.folder);
    expect(rankingOf(state.plan)).toEqual(rankingOf(runPlan(planOf(DEFINITION))));
  });

  it('ends with the error of a journal that cannot be written, after which nothing counts as written', async () => {
    const sweep = await openSweep();
    const journal = path.join(sweep.folder, JOURNAL);
    let count = 0;
    const executor = new SimulatedExecutor(() => {
      if (++count !== 10) return;
      rmSync(journal);
      mkdirSync(journal);
    });
    const run = sweep.run(executor, { signal: new AbortController().signal });
    await expect(run).rejects.toThrow(`cannot write ${journal}: it is a folder`);
    const line = simulate([...sweep.state.plan.jobs()][0]);
    await expect(sweep.write(line)).rejects.toThrow(`cannot write ${journal}`);
  });
});
