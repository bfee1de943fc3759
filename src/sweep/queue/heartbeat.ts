import type { Redis } from 'ioredis';
import { type Job, jobName } from '../plan/job.ts';
import { WORKERS_KEY, type WorkerState } from './protocol.ts';

const INTERVAL_MS = 1000;

interface Running {
  readonly sweep: string;
  readonly job: Job;
  /** Epochs done, and those when it was last said. */
  epochs: number;
  said: number;
}

/** Says every second what a worker does. */
export class Heartbeat {
  readonly #redis: Redis;
  readonly #about: Pick<WorkerState, 'worker' | 'capacity'>;
  readonly #imagesOf: (job: Job) => number;
  readonly #running = new Map<Job, Running>();
  #timer: NodeJS.Timeout | undefined;
  #beat = 0;
  #isSaying = false;
  #saidAt = performance.now();

  /** @param imagesOf the images of an epoch of a job. */
  constructor(redis: Redis, about: Pick<WorkerState, 'worker' | 'capacity'>, imagesOf: (job: Job) => number) {
    this.#redis = redis;
    this.#about = about;
    this.#imagesOf = imagesOf;
  }

  start(): void {
    const say = () => {
      if (this.#isSaying) return;
      this.#isSaying = true;
      // Nobody listens while the server is away.
      void this.#redis
        .hset(WORKERS_KEY, this.#about.worker, JSON.stringify(this.#state()))
        .catch(() => {})
        .finally(() => {
          this.#isSaying = false;
        });
    };
    say();
    this.#timer = setInterval(say, INTERVAL_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#redis.hdel(WORKERS_KEY, this.#about.worker);
  }

  begin(sweep: string, job: Job): void {
    this.#running.set(job, { sweep, job, epochs: 0, said: Number.NaN });
  }

  progress(job: Job, epochs: number): void {
    const running = this.#running.get(job);
    if (!running) return;
    running.epochs = epochs;
    // It may have begun from a checkpoint.
    if (Number.isNaN(running.said)) running.said = epochs;
  }

  end(job: Job): void {
    this.#running.delete(job);
  }

  #state(): WorkerState {
    const now = performance.now();
    const seconds = (now - this.#saidAt) / 1000;
    this.#saidAt = now;
    let images = 0;
    for (const running of this.#running.values()) {
      if (!Number.isNaN(running.said)) images += (running.epochs - running.said) * this.#imagesOf(running.job);
      running.said = running.epochs;
    }
    const running = [...this.#running.values()].map(({ sweep, job, epochs }) => ({ sweep, job: jobName(job), epochs }));
    return { ...this.#about, speed: Math.round(images / seconds), running, beat: this.#beat++ };
  }
}
