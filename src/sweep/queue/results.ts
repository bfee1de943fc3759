import type { Redis } from 'ioredis';
import { resultsKey, writtenKey } from './protocol.ts';

/** Time for which the names of written results are kept: longer than any worker holds a trial. */
const WRITTEN_SECONDS = 86_400;
/** Stands among them for all jobs once the sweep has ended. */
const ENDED = 'ended';

/** The results of a sweep on the server of its queue: those that wait for the journal, and the names of those that are in it. */
export class Results {
  readonly #redis: Redis;
  readonly #waiting: string;
  readonly #written: string;

  constructor(redis: Redis, sweep: string) {
    this.#redis = redis;
    this.#waiting = resultsKey(sweep);
    this.#written = writtenKey(sweep);
  }

  /** Whether the result of a job waits or is in the journal: somebody trained it who then died, or whose lock was lost. */
  async isKnown(job: string): Promise<boolean> {
    // Within one transaction, because the coordinator moves it from the one to the other.
    const ask = this.#redis.multi().hexists(this.#waiting, job).sismember(this.#written, job);
    return (await ask.exec())!.some(([, answer]) => answer === 1);
  }

  /** Hands in a result, or something else under another name. The first of two wins. */
  async offer(name: string, text: string): Promise<void> {
    const answers = await this.#redis.multi().hsetnx(this.#waiting, name, text).sismember(this.#written, ENDED).exec();
    for (const [error] of answers!) if (error) throw error;
    // After the end nobody would take it.
    if (answers![1][1] === 1) await this.#redis.hdel(this.#waiting, name);
  }

  /** What was handed in, by name. */
  async waiting(): Promise<[name: string, text: string][]> {
    return Object.entries(await this.#redis.hgetall(this.#waiting));
  }

  async remove(names: readonly string[]): Promise<void> {
    if (names.length > 0) await this.#redis.hdel(this.#waiting, ...names);
  }

  /** Removes results that are in the journal. A worker that died after it had handed in still holds the trial: whoever takes that
   *  up finds its name among the written ones, and leaves it. */
  async removeWritten(jobs: readonly string[]): Promise<void> {
    const removal = this.#redis.multi().sadd(this.#written, ...jobs);
    await removal
      .expire(this.#written, WRITTEN_SECONDS)
      .hdel(this.#waiting, ...jobs)
      .exec();
  }

  /** Prepares for new results of jobs: one that failed is tried again under the same name, and a sweep that ended is extended. */
  async expect(jobs: readonly string[]): Promise<void> {
    await this.#redis.srem(this.#written, ENDED, ...jobs);
  }

  /** Removes all results. */
  async end(): Promise<void> {
    const end = this.#redis.multi().sadd(this.#written, ENDED).expire(this.#written, WRITTEN_SECONDS);
    await end.del(this.#waiting).exec();
  }
}
