import type { Redis } from 'ioredis';
import type { Checkpoints } from '../trial/checkpoints.ts';
import { DISCARDED_KEY } from './protocol.ts';

const INTERVAL_MS = 1000;

/** Removes the checkpoints of a worker that no sweep needs any more. */
export class Cleaner {
  readonly #redis: Redis;
  readonly #checkpoints: Checkpoints;
  readonly #timer: NodeJS.Timeout;
  /** The last entry of the stream that was read. The first look reads all that is there: folders outlive workers. */
  #last = '0';
  #isCleaning = false;

  constructor(redis: Redis, checkpoints: Checkpoints) {
    this.#redis = redis;
    this.#checkpoints = checkpoints;
    this.#timer = setInterval(() => this.#clean(), INTERVAL_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #clean(): void {
    if (this.#isCleaning) return;
    this.#isCleaning = true;
    // While the server is away, nothing is removed.
    void this.#read()
      .catch(() => {})
      .finally(() => {
        this.#isCleaning = false;
      });
  }

  async #read(): Promise<void> {
    const [[, entries]] = (await this.#redis.xread('STREAMS', DISCARDED_KEY, this.#last)) ?? [['', []]];
    if (entries.length === 0) return;
    await this.#checkpoints.remove(entries.flatMap(([, [, names]]) => names.split(' ')));
    this.#last = entries.at(-1)![0];
  }
}
