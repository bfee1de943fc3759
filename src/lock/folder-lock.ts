import path from 'node:path';
import { UserError } from '../errors.ts';
import { fileError } from '../files.ts';
import { localTime } from '../format.ts';
import type { LockHolder } from './holder.ts';
import { type HeldLock, Lock } from './lock.ts';

/** Name of the file in the folder that exists while a process works on it. */
const LOCK = 'lock';

/** Words for what a folder holds and what a process does with it. */
const WORDS = {
  run: { name: 'the run', activity: 'trained' },
  sweep: { name: 'the sweep', activity: 'worked on' },
} as const;

/** The right to write the files in the folder of a run or a sweep: one process at a time has it. */
export class FolderLock {
  readonly #folder: string;
  readonly #name: string;
  readonly #lock: Lock;

  private constructor(folder: string, name: string, lock: Lock) {
    this.#folder = folder;
    this.#name = name;
    this.#lock = lock;
  }

  /** Locks a folder. A lock left by a process that has ended is taken over.
   *  @throws UserError if another process has it; FileError if the lock cannot be written. */
  static async take(kind: keyof typeof WORDS, folder: string): Promise<FolderLock> {
    const { name, activity } = WORDS[kind];
    const taken = await Lock.take(path.join(folder, LOCK)).catch((error) => {
      throw fileError(`cannot lock ${name} ${folder}`, error);
    });
    if (taken instanceof Lock) return new FolderLock(folder, name, taken);
    throw new UserError(beingUsed(`${folder} is being ${activity}`, name, path.join(folder, LOCK), taken));
  }

  /** Whether a process seems to have locked the folder. */
  static isTaken(folder: string): boolean {
    try {
      const held = Lock.inspect(path.join(folder, LOCK));
      return held !== undefined && held.staleIn !== 0;
    } catch {
      // Whether a holder on another machine is alive can be seen only where files can be written.
      return true;
    }
  }

  /** @throws UserError if another process has taken the folder over, which happens if this one was suspended for minutes on
   *  another machine; FileError if the lock cannot be written. */
  expectHeld(): void {
    let isHeld: boolean;
    try {
      isHeld = this.#lock.isHeld();
    } catch (error) {
      throw fileError(`cannot lock ${this.#name} ${this.#folder}`, error);
    }
    if (isHeld) return;
    throw new UserError(
      `another process has taken over ${this.#name} ${this.#folder}, because this one had given no sign of life for minutes; ` +
        'this one stops without saving',
    );
  }

  async release(): Promise<void> {
    await this.#lock.release();
  }
}

function beingUsed(what: string, name: string, file: string, { holder, silence, staleIn }: HeldLock): string {
  const by = `${what} by ${holder ? nameOf(holder) : 'another process'}`;
  const since = holder ? `, since ${localTime(new Date(holder.since))}` : '';
  if (staleIn === undefined) return `${by}${since}; wait until that process ends, or stop it, which saves ${name}`;
  return (
    `${by}${since}, whose last sign of life was ${seconds(silence)} ago; wait until that process ends, or stop it, which ` +
    `saves ${name}. If it has ended already, ${name} is free in ${seconds(staleIn)}, or once you delete ${file}`
  );
}

function nameOf({ pid, host }: LockHolder): string {
  return `process ${pid} on ${host}`;
}

function seconds(milliseconds: number): string {
  return `${Math.ceil(milliseconds / 1000)} s`;
}
