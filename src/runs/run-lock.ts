import path from 'node:path';
import { UserError } from '../errors.ts';
import { fileError } from '../files.ts';
import { localTime } from '../format.ts';
import type { LockHolder } from '../lock/holder.ts';
import { type HeldLock, Lock } from '../lock/lock.ts';

/** Name of the file in a run directory that exists while a process trains the run. */
const LOCK = 'lock';

/** The right to write the files of a run: one process at a time has it. */
export class RunLock {
  readonly #folder: string;
  readonly #lock: Lock;

  private constructor(folder: string, lock: Lock) {
    this.#folder = folder;
    this.#lock = lock;
  }

  /** Locks a run. A lock left by a process that has ended is taken over.
   *  @throws UserError if another process is training the run; FileError if the lock cannot be written. */
  static async take(folder: string): Promise<RunLock> {
    const taken = await Lock.take(path.join(folder, LOCK)).catch((error) => {
      throw fileError(`cannot lock the run ${folder}`, error);
    });
    if (taken instanceof Lock) return new RunLock(folder, taken);
    throw new UserError(beingTrained(folder, taken));
  }

  /** Whether a process seems to be training the run. */
  static isTaken(folder: string): boolean {
    try {
      const held = Lock.inspect(path.join(folder, LOCK));
      return held !== undefined && held.staleIn !== 0;
    } catch {
      // Whether a holder on another machine is alive can be seen only where files can be written.
      return true;
    }
  }

  /** @throws UserError if another process has taken the run over, which happens if this one was suspended for minutes on
   *  another machine; FileError if the lock cannot be written. */
  expectHeld(): void {
    let isHeld: boolean;
    try {
      isHeld = this.#lock.isHeld();
    } catch (error) {
      throw fileError(`cannot lock the run ${this.#folder}`, error);
    }
    if (isHeld) return;
    throw new UserError(
      `another process has taken over the run ${this.#folder}, because this one had given no sign of life for minutes; ` +
        'this one stops without saving',
    );
  }

  async release(): Promise<void> {
    await this.#lock.release();
  }
}

function beingTrained(folder: string, { holder, silence, staleIn }: HeldLock): string {
  const what = `${folder} is being trained by ${holder ? nameOf(holder) : 'another process'}`;
  const since = holder ? `, since ${localTime(new Date(holder.since))}` : '';
  if (staleIn === undefined) return `${what}${since}; wait until that process ends, or stop it, which saves the run`;
  return (
    `${what}${since}, whose last sign of life was ${seconds(silence)} ago; wait until that process ends, or stop it, which ` +
    `saves the run. If it has ended already, the run is free in ${seconds(staleIn)}, or once you delete ${path.join(folder, LOCK)}`
  );
}

function nameOf({ pid, host }: LockHolder): string {
  return `process ${pid} on ${host}`;
}

function seconds(milliseconds: number): string {
  return `${Math.ceil(milliseconds / 1000)} s`;
}
