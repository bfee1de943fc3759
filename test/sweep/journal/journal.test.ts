import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { JOURNAL, parseJournal, readJournal } from '../../../src/sweep/journal/journal.ts';
import type { EventLine, SweepLine } from '../../../src/sweep/journal/lines.ts';
import { rankingOf } from '../../../src/sweep/plan/ranking.ts';
import { createSweep, readSweep, Sweep } from '../../../src/sweep/sweep.ts';
import { temporaryFolder } from '../../support/files.ts';
import { HALVING, planOf, runPlan } from '../../support/simulated-sweep.ts';

const SWEEP: SweepLine = {
  type: 'sweep',
  version: 1,
  ...HALVING,
  trials: 6,
  lag: 8,
  dataset: { name: 'synthetic', source: 'generated', sha256: '0'.repeat(64), images: { train: 100, test: 10 } },
  nnTrain: '0.1.0',
};

/** The lines of a whole sweep. */
function wholeSweep(): EventLine[] {
  const lines: EventLine[] = [];
  const plan = runPlan(planOf({ ...HALVING, trials: 6 }), { workers: 3, onOutcome: (line) => lines.push(line) });
  const ranking = rankingOf(plan);
  lines.push({ type: 'ended', trials: 6, ranking, winner: ranking[0].trial, test: { loss: 2, accuracy: 0.4 } });
  return lines;
}

async function newSweep(lines: readonly EventLine[] = []): Promise<string> {
  const folder = await createSweep(path.join(temporaryFolder(), 'sweep'), SWEEP);
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  appendFileSync(path.join(folder, JOURNAL), text);
  return folder;
}

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a journal', () => {
  it('gives back what was written', async () => {
    const lines = wholeSweep();
    const folder = await newSweep();
    const sweep = await Sweep.open(folder);
    for (const line of lines) await sweep.write(line);
    await sweep.release();
    const read = await readJournal(folder);
    expect(read).toMatchObject({ sweep: SWEEP, events: lines, isTorn: false });
    const { state } = await readSweep(folder);
    expect(state.ended).toEqual(lines.at(-1));
    expect(rankingOf(state.plan)).toEqual(state.ended!.ranking);
  });

  it('of a sweep that does not say its precision is of one in int16, as all were', async () => {
    const lines = wholeSweep();
    const folder = await newSweep(lines);
    const file = path.join(folder, JOURNAL);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"precision":"int16",', ''));
    const { sweep, state } = await readSweep(folder);
    expect(sweep.base).toEqual(SWEEP.base);
    expect(state.ended).toEqual(lines.at(-1));
  });

  it('cut at any byte is that of a sweep killed before, or is refused in one sentence', async () => {
    const folder = await newSweep(wholeSweep());
    const file = path.join(folder, JOURNAL);
    const whole = readFileSync(file);
    const header = whole.indexOf('\n') + 1;
    const { events } = parseJournal(whole, file);
    for (let end = 0; end < whole.length; end++) {
      const bytes = whole.subarray(0, end);
      if (end < header) {
        expect(() => parseJournal(bytes, file)).toThrow('its first line is cut off');
        continue;
      }
      const read = parseJournal(bytes, file);
      expect(read.isTorn).toBe(whole[end - 1] !== 0x0a);
      expect(read.events).toEqual(events.slice(0, read.events.length));
    }
    // A torn line is removed when the sweep is opened, so that lines can be appended.
    for (const end of [header + 1, whole.length - 1]) {
      writeFileSync(file, whole.subarray(0, end));
      const sweep = await Sweep.open(folder);
      expect(sweep.wasTorn).toBe(true);
      await sweep.release();
      expect(readFileSync(file)).toEqual(whole.subarray(0, whole.lastIndexOf('\n', end - 1) + 1));
    }
  });

  it('of another version names the version that wrote it', async () => {
    const folder = path.join(temporaryFolder(), 'sweep');
    mkdirSync(folder);
    writeFileSync(path.join(folder, JOURNAL), `${JSON.stringify({ ...SWEEP, version: 2, nnTrain: '9.0.0' })}\n`);
    const error = await errorOf(Sweep.open(folder));
    expect((error as Error).message).toContain(
      "has version 2 of the journal's format, wanted 1; continue the sweep with the version of nn-train that began it, 9.0.0",
    );
  });

  it('with a damaged line names it', async () => {
    const [first, ...others] = wholeSweep();
    const folder = await newSweep([first]);
    appendFileSync(path.join(folder, JOURNAL), '{"type":"result","trial":-1}\n');
    appendFileSync(path.join(folder, JOURNAL), `${JSON.stringify(others[0])}\n`);
    const error = await errorOf(readJournal(folder));
    expect((error as Error).message).toMatch(/line 3 of .*sweep\.jsonl is damaged/);
  });

  it('of another kind of file is refused', async () => {
    const folder = path.join(temporaryFolder(), 'sweep');
    mkdirSync(folder);
    expect(((await errorOf(Sweep.open(folder))) as Error).message).toContain('is not a sweep: it has no sweep.jsonl');
    writeFileSync(path.join(folder, JOURNAL), '{"lr": 3}\n');
    expect(((await errorOf(Sweep.open(folder))) as Error).message).toContain('is not the journal of a sweep');
  });
});

describe('a sweep', () => {
  it('is worked on by one process at a time, and read by any', async () => {
    const folder = await newSweep(wholeSweep().slice(0, 3));
    const sweep = await Sweep.open(folder);
    const error = await errorOf(Sweep.open(folder));
    expect((error as Error).message).toMatch(/is being worked on by process \d+ on .*; wait until that process ends/);
    expect((await readSweep(folder)).isRunning).toBe(true);
    await sweep.release();
    expect((await readSweep(folder)).isRunning).toBe(false);
  });

  it('can be extended, but not shortened', async () => {
    const folder = await newSweep(wholeSweep());
    const shorter = await errorOf(Sweep.open(folder, { trials: 5 }));
    expect((shorter as Error).message).toBe(
      'the sweep has 6 trials, which can be raised but not lowered, got trials: 5',
    );
    const sweep = await Sweep.open(folder, { trials: 12, seeds: 2 });
    expect(sweep.state.ended).toBeUndefined();
    expect(sweep.state.plan.total).toBe(12);
    await sweep.release();
    // The extension is in the journal.
    expect((await readSweep(folder)).state.plan.definition).toMatchObject({ trials: 12, seeds: 2 });
  });

  it('does not overwrite another one', async () => {
    const folder = await newSweep();
    const error = await errorOf(createSweep(folder, SWEEP));
    expect((error as Error).message).toContain('already exists and is kept');
    expect(await createSweep(folder, SWEEP, { mayRename: true })).toBe(`${folder}-2`);
  });
});
