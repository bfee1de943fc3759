import { createHash } from 'node:crypto';
import path from 'node:path';
import * as v from 'valibot';
import { parseOrUndefined } from '../../runs/json-lines.ts';
import type { Failure } from '../executor.ts';
import { EVENT, type ResultLine, type SweepLine } from '../journal/lines.ts';
import type { Job } from '../plan/job.ts';

// What the coordinator of a sweep and its workers say to each other. All names of the queues begin with nn-train.

/** Prefix of every key on the server. */
const PREFIX = 'nn-train';
/** The queue from which all workers take their trials. */
export const TRIALS_QUEUE = 'trials';
/** The hash in which each worker says what it does. */
export const WORKERS_KEY = `${PREFIX}:workers`;

/** The stream in which coordinators say which trainings are over, by their names with spaces between them: whoever has their
 *  checkpoints removes them. */
export const DISCARDED_KEY = `${PREFIX}:discarded`;

/** Options of the queue. Events are read by nobody. */
export const QUEUE_OPTIONS = { prefix: PREFIX, streams: { events: { maxLen: 100 } } } as const;

/** Jobs leave the queue when they end: their results lie elsewhere. */
export const JOB_OPTIONS = { removeOnComplete: true, removeOnFail: true } as const;

/** Key of the hash of a sweep's results, each under the name of its job, until they are in the journal. */
export function resultsKey(sweep: string): string {
  return `${PREFIX}:results-${sweep}`;
}

/** Key of the set of a sweep's jobs whose results are in the journal. */
export function writtenKey(sweep: string): string {
  return `${PREFIX}:written-${sweep}`;
}

/** Identifies a sweep among those on a server: by what it is, and the folder that it lies in. */
export function sweepId(header: SweepLine, folder: string): string {
  const text = JSON.stringify([header, path.resolve(folder)]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Identifies a job on a server. BullMQ wants neither integers nor colons. */
export function queueName(sweep: string, job: string): string {
  return `trial-${sweep}-${job}`;
}

/** What the bits of a result depend on, besides its configuration. */
export interface Conditions {
  /** Of this package. */
  readonly version: string;
  /** Of the images. */
  readonly sha256: string;
  readonly backend: string;
  /** Whether float32 products use fused multiply-add. */
  readonly fma: boolean;
}

/** A job of a sweep, as it travels. */
export interface QueuedJob {
  readonly sweep: string;
  readonly job: Job;
  readonly conditions: Conditions;
}

/** What workers hand in. */
export type HandedIn =
  | { readonly kind: 'outcome'; readonly outcome: ResultLine | Failure }
  | { readonly kind: 'refusal'; readonly message: string };

/** What differs between the conditions of a job and those of a worker; undefined if nothing that matters does. */
export function difference({ job, conditions }: QueuedJob, own: Conditions): string | undefined {
  if (conditions.version !== own.version)
    return `nn-train ${own.version}, and the sweep nn-train ${conditions.version}`;
  if (conditions.sha256 !== own.sha256) {
    return `images with SHA-256 ${own.sha256}, and the sweep images with ${conditions.sha256}`;
  }
  if (conditions.backend !== own.backend)
    return `the backend ${own.backend}, and the sweep the backend ${conditions.backend}`;
  if (job.config.precision !== 'float32' || conditions.fma === own.fma) return undefined;
  const fused = (fma: boolean) => `float32 products ${fma ? 'with' : 'without'} fused multiply-add`;
  return `${fused(own.fma)}, and the sweep ${fused(conditions.fma)}`;
}

/** What was handed in, checked; undefined if it is something else. */
export function decodeHandedIn(text: string): HandedIn | undefined {
  const value = parseOrUndefined(text);
  return v.is(HANDED_IN, value) ? (value as HandedIn) : undefined;
}

const HANDED_IN = v.variant('kind', [
  v.object({
    kind: v.literal('outcome'),
    outcome: v.union([
      v.pipe(
        EVENT,
        v.check(({ type }) => type === 'result'),
      ),
      v.object({ type: v.literal('failed'), error: v.string(), worker: v.string() }),
    ]),
  }),
  v.object({ kind: v.literal('refusal'), message: v.string() }),
]);

/** What a worker does, as it says every second. */
export interface WorkerState {
  /** Host and process. */
  readonly worker: string;
  /** Trainings that it runs at the same time. */
  readonly capacity: number;
  /** Images a second, all of its trainings together. */
  readonly speed: number;
  readonly running: readonly { readonly sweep: string; readonly job: string; readonly epochs: number }[];
  /** Counted from 0: a worker whose count stands still is away. */
  readonly beat: number;
}

/** A worker, as its coordinator sees it. */
export interface SeenWorker extends WorkerState {
  /** Seconds since it was last seen. */
  readonly lastSeen: number;
}
