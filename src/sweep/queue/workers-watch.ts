import type { Redis } from 'ioredis';
import { type SeenWorker, WORKERS_KEY, type WorkerState } from './protocol.ts';

const INTERVAL_MS = 1000;
/** A worker that has not been seen for this time is forgotten. */
const FORGET_MS = 60_000;

/** Sees what the workers of a queue do. */
export class WorkersWatch {
  readonly #redis: Redis;
  readonly #onWorkers: (workers: readonly SeenWorker[]) => void;
  readonly #onRunning: (running: WorkerState['running']) => void;
  readonly #seen = new Map<string, { state: WorkerState; at: number }>();
  readonly #timer: NodeJS.Timeout;
  #isLooking = false;

  /** @param onWorkers is called with the seconds since each was last seen. */
  constructor(
    redis: Redis,
    onWorkers: (workers: readonly SeenWorker[]) => void,
    onRunning: (running: WorkerState['running']) => void,
  ) {
    this.#redis = redis;
    this.#onWorkers = onWorkers;
    this.#onRunning = onRunning;
    this.#timer = setInterval(() => void this.#look(), INTERVAL_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (!this.#isLooking) {
      this.#isLooking = true;
      // While the server is away, the workers are still shown.
      void this.#read()
        .catch(() => {})
        .finally(() => {
          this.#isLooking = false;
        });
    }
    const now = performance.now();
    this.#onWorkers([...this.#seen.values()].map(({ state, at }) => ({ ...state, lastSeen: (now - at) / 1000 })));
  }

  /** The clocks of machines differ, so a worker counts as seen when its count has changed. */
  async #read(): Promise<void> {
    const now = performance.now();
    const states = await this.#redis.hgetall(WORKERS_KEY);
    for (const name of this.#seen.keys()) if (!(name in states)) this.#seen.delete(name);
    for (const [name, text] of Object.entries(states)) {
      const state = JSON.parse(text) as WorkerState;
      const before = this.#seen.get(name);
      if (before?.state.beat !== state.beat) {
        this.#seen.set(name, { state, at: now });
        this.#onRunning(state.running);
      } else if (now - before.at > FORGET_MS) {
        await this.#redis.hdel(WORKERS_KEY, name);
      }
    }
  }
}
