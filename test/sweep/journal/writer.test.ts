import { describe, expect, it } from 'vitest';
import type { EventLine } from '../../../src/sweep/journal/lines.ts';
import { JournalWriter } from '../../../src/sweep/journal/writer.ts';

const line = (trial: number): EventLine => ({
  ...{ type: 'failed', trial, rung: 0, seed: 0, attempt: 1, error: '', worker: '' },
});

/** A disk that is ready when the test says so. */
class Disk {
  readonly batches: number[][] = [];
  readonly writer = new JournalWriter((lines) => {
    this.batches.push(lines.map((one) => (one as { trial: number }).trial));
    return new Promise((resolve, reject) => {
      this.sync = resolve;
      this.fail = reject;
    });
  });
  sync: () => void = () => {};
  fail: (error: Error) => void = () => {};
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('lines of a journal', () => {
  it('that come while the disk is at work are written together, in their order, and none counts before', async () => {
    const disk = new Disk();
    const done: number[] = [];
    const write = (trial: number) => disk.writer.write(line(trial)).then(() => done.push(trial));
    const writes = [write(0)];
    await turn();
    writes.push(write(1), write(2), write(3));
    await turn();
    expect([disk.batches, done]).toEqual([[[0]], []]);
    disk.sync();
    await turn();
    expect([disk.batches, done]).toEqual([[[0], [1, 2, 3]], [0]]);
    disk.sync();
    await Promise.all(writes);
    expect(done).toEqual([0, 1, 2, 3]);
  });

  it('are refused after one that could not be written', async () => {
    const disk = new Disk();
    const results = [disk.writer.write(line(0))];
    await turn();
    results.push(disk.writer.write(line(1)));
    disk.fail(new Error('the disk is full'));
    const outcomes = await Promise.allSettled(results);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(disk.writer.write(line(2))).rejects.toThrow('the disk is full');
    await disk.writer.settle();
    expect(disk.batches).toEqual([[0]]);
  });
});
