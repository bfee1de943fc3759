import type { EventLine } from './lines.ts';

/** Writes the lines of a journal in their order. Those that come while others are on their way to the disk go there together,
 *  after them: a disk syncs some hundred times a second, whatever the number of lines. */
export class JournalWriter {
  readonly #append: (lines: readonly EventLine[]) => Promise<void>;
  /** Of all lines so far. */
  #written: Promise<void> = Promise.resolve();
  /** Lines that wait for the disk, and the promise that they are on it. */
  #waiting: EventLine[] = [];
  #next: Promise<void> | undefined;

  /** @param append writes lines, and resolves once they are on the disk. */
  constructor(append: (lines: readonly EventLine[]) => Promise<void>) {
    this.#append = append;
  }

  /** Resolves once the line is on the disk. After an error nothing more is written, because the journal may end within a line:
   *  this line and all after it are rejected with that error. */
  write(line: EventLine): Promise<void> {
    this.#waiting.push(line);
    this.#next ??= this.#written = this.#written.then(() => this.#writeWaiting());
    return this.#next;
  }

  /** Resolves once all lines are on the disk, or have been rejected. */
  async settle(): Promise<void> {
    await this.#written.catch(() => {});
  }

  async #writeWaiting(): Promise<void> {
    const lines = this.#waiting;
    this.#waiting = [];
    this.#next = undefined;
    await this.#append(lines);
  }
}
