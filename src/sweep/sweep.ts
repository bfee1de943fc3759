import { UsageError } from '../errors.ts';
import { FolderLock } from '../lock/folder-lock.ts';
import { field, message } from '../message.ts';
import { createRunFolder } from '../runs/create-run-folder.ts';
import type { Executor, Failure } from './executor.ts';
import {
  appendToJournal,
  createJournal,
  cutTornLine,
  JOURNAL,
  type JournalContent,
  readJournal,
} from './journal/journal.ts';
import type { EndedLine, EventLine, ExtendedLine, FailedLine, ResultLine, SweepLine } from './journal/lines.ts';
import { JournalWriter } from './journal/writer.ts';
import type { Definition } from './plan/definition.ts';
import { type Job, jobName } from './plan/job.ts';
import { Plan } from './plan/plan.ts';
import { proposalsOf } from './plan/proposals.ts';
import { Checkpoints } from './trial/checkpoints.ts';
import { Leftovers } from './trial/leftovers.ts';

/** What happens in a sweep. */
export type SweepEvent =
  | { readonly type: 'job-started'; readonly job: Job }
  | { readonly type: 'job-ended'; readonly job: Job; readonly line: ResultLine | FailedLine };

/** Totals of a sweep that is to be extended. */
export type Extension = { readonly [Key in 'trials' | 'seeds']?: number | undefined };

export interface RunOptions {
  readonly signal: AbortSignal;
  onEvent?(event: SweepEvent): void;
}

/** The state of a sweep: its journal, folded. */
export class SweepState {
  readonly sweep: SweepLine;
  readonly plan: Plan;
  /** The last line, if the sweep has ended. */
  #ended: EndedLine | undefined;

  /** @throws UserError if the journal contradicts itself. */
  constructor({ sweep, events }: Pick<JournalContent, 'sweep' | 'events'>) {
    this.sweep = sweep;
    const extended = events.findLast((event) => event.type === 'extended');
    const definition = { ...sweep, ...(extended && { trials: extended.trials, seeds: extended.seeds }) };
    this.plan = new Plan(definition, ...proposalsOf(definition));
    for (const event of inOrder(events)) this.take(event);
  }

  get ended(): EndedLine | undefined {
    return this.#ended;
  }

  take(event: EventLine): void {
    if (event.type === 'result' || event.type === 'failed') this.plan.take(event);
    this.#ended = event.type === 'ended' ? event : undefined;
  }
}

/** A trial is proposed when those before it are known, so a journal is read in the order of its rungs and trials. An end counts
 *  only if nothing comes after it. */
function inOrder(events: readonly EventLine[]): EventLine[] {
  const place = (event: EventLine) => ('rung' in event ? [event.rung, event.trial] : [Infinity, 0]);
  const last = events.at(-1);
  return events
    .filter((event) => event.type !== 'extended' && (event.type !== 'ended' || event === last))
    .sort((a, b) => place(a)[0] - place(b)[0] || place(a)[1] - place(b)[1]);
}

/** Creates the folder of a new sweep, with its journal. @param mayRename whether a number may be added to the name.
 *  @throws UsageError if something other than an empty folder is already there; FileError if it cannot be written. */
export async function createSweep(folder: string, line: SweepLine, { mayRename = false } = {}): Promise<string> {
  for (let number = 1; ; number++) {
    const name = number === 1 ? folder : `${folder}-${number}`;
    try {
      await createRunFolder(name, [JOURNAL], (place) => createJournal(place, line), 'the folder of the sweep');
      return name;
    } catch (error) {
      if (!mayRename || !(error instanceof UsageError)) throw error;
    }
  }
}

/** Reads a sweep, also while another process works on it. @throws as `readJournal` does. */
export async function readSweep(folder: string): Promise<{ sweep: SweepLine; state: SweepState; isRunning: boolean }> {
  const content = await readJournal(folder);
  return { sweep: content.sweep, state: new SweepState(content), isRunning: FolderLock.isTaken(folder) };
}

/** A sweep that this process works on. Another one is kept out by a lock. */
export class Sweep {
  readonly folder: string;
  readonly state: SweepState;
  readonly checkpoints: Checkpoints;
  /** Whether the journal ended with a part of a line, which was cut off. */
  readonly wasTorn: boolean;
  readonly #lock: FolderLock;
  readonly #journal = new JournalWriter((lines) => this.#append(lines));
  readonly #leftovers: Leftovers;

  private constructor(folder: string, lock: FolderLock, content: JournalContent) {
    this.folder = folder;
    this.#lock = lock;
    this.state = new SweepState(content);
    this.checkpoints = new Checkpoints(folder);
    this.#leftovers = new Leftovers(this.state.plan);
    this.wasTorn = content.isTorn;
  }

  /** Opens a sweep to continue it, or to extend it.
   *  @throws UserError if the folder holds none, if its journal is damaged, if another process works on it, or if it has more
   *  trials or seeds than the `extension`; FileError if it cannot be read or written. */
  static async open(folder: string, extension: Extension = {}): Promise<Sweep> {
    // Before anything is written: the folder may be a wrong one.
    await readJournal(folder);
    const lock = await FolderLock.take('sweep', folder);
    try {
      const content = await readJournal(folder);
      if (content.isTorn) await cutTornLine(folder, content);
      const extended = extensionOf(new SweepState(content).plan.definition, extension);
      if (extended === undefined) return new Sweep(folder, lock, content);
      await appendToJournal(folder, [extended]);
      return new Sweep(folder, lock, { ...content, events: [...content.events, extended] });
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Runs jobs until the plan is done, or the signal is aborted. Results are in the journal before anything follows from them.
   *  @throws FileError if the journal cannot be written; UserError if two results of one job differ, or if another process has
   *  taken the sweep over. */
  async run(executor: Executor, { signal, onEvent = () => {} }: RunOptions): Promise<void> {
    const running = new Map<string, Promise<void>>();
    const errors: unknown[] = [];
    let wake = () => {};
    const start = (job: Job) => {
      onEvent({ type: 'job-started', job });
      const end = this.#run(job, executor, onEvent).catch((error) => errors.push(error));
      running.set(
        jobName(job),
        end.then(() => {
          running.delete(jobName(job));
          wake();
        }),
      );
    };
    const stop = () => executor.stop();
    signal.addEventListener('abort', stop);
    try {
      while (!signal.aborted && errors.length === 0 && !this.state.plan.isDone) {
        const ended = new Promise<void>((resolve) => {
          wake = resolve;
        });
        for (const job of this.state.plan.jobs()) {
          if (running.size >= executor.capacity) break;
          if (!running.has(jobName(job))) start(job);
        }
        if (running.size === 0) throw new Error('the plan is not done, but has no job');
        await ended;
        await this.#discard(this.#leftovers.take(), executor);
      }
    } finally {
      signal.removeEventListener('abort', stop);
      if (!this.state.plan.isDone) executor.stop();
      await Promise.all(running.values());
    }
    if (errors.length > 0) throw errors[0];
  }

  /** Appends a line. @throws as `run` does. */
  write(line: EventLine): Promise<void> {
    return this.#journal.write(line);
  }

  async release(): Promise<void> {
    await this.#journal.settle();
    await this.#lock.release();
  }

  async #append(lines: readonly EventLine[]): Promise<void> {
    this.#lock.expectHeld();
    await appendToJournal(this.folder, lines);
    for (const line of lines) this.state.take(line);
  }

  async #run(job: Job, executor: Executor, onEvent: NonNullable<RunOptions['onEvent']>): Promise<void> {
    const outcome = await executor.run(job);
    if (outcome === undefined) return;
    const line = outcome.type === 'result' ? outcome : this.#failed(job, outcome);
    await this.write(line);
    executor.written?.(job);
    this.#leftovers.add(job);
    onEvent({ type: 'job-ended', job, line });
  }

  #failed({ trial, rung, seed, ...job }: Job, { error, worker }: Failure): FailedLine {
    const attempt = this.state.plan.attempts({ trial, rung, seed, ...job }) + 1;
    return { type: 'failed', trial, rung, seed, attempt, error, worker };
  }

  /** Removes checkpoints that nobody will need, wherever they are. @param trainings their names. */
  async #discard(trainings: readonly string[], executor: Executor): Promise<void> {
    if (executor.discard) executor.discard(trainings);
    else await this.checkpoints.remove(trainings);
  }
}

/** The line of the journal that extends a sweep; undefined if there is nothing to extend. */
function extensionOf(definition: Definition, extension: Extension): ExtendedLine | undefined {
  const { trials = definition.trials, seeds = definition.seeds } = extension;
  for (const [name, was, wanted] of [
    ['trials', definition.trials, trials],
    ['seeds', definition.seeds, seeds],
  ] as const) {
    if (wanted >= was) continue;
    throw new UsageError(
      message`the sweep has ${was} ${name}, which can be raised but not lowered, got ${field(name, wanted)}`,
    );
  }
  const isSame = trials === definition.trials && seeds === definition.seeds;
  return isSame ? undefined : { type: 'extended', trials, seeds };
}
