import type { RunEvent } from '../../runs/events.ts';
import { resumeCommand } from '../terminal/format.ts';
import { type Io, printNote } from '../terminal/io.ts';
import { flushOutput, OutputError, onOutputError } from '../terminal/output.ts';
import { ownName } from '../terminal/own-name.ts';
import type { RunOptions } from './options.ts';

/** What a run does when stdout fails: if its results are kept, in a run directory or a log, it goes on; otherwise it
 *  stops, as nobody would see them. */
export class RunOutput {
  readonly #io: Io;
  readonly #options: RunOptions;
  readonly #stop = new AbortController();
  readonly #release: () => void;
  #run: string | null = null;
  #failure: OutputError | undefined;
  #isReported = false;
  #isOver = false;

  constructor(io: Io, options: RunOptions) {
    this.#io = io;
    this.#options = options;
    this.#release = onOutputError(io, (error) => this.#take(error));
  }

  /** Aborts with an OutputError when the run has to stop. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  take(event: RunEvent): void {
    if (event.type === 'run-started') this.#run = event.run;
    // Several runs may follow each other.
    if (event.type === 'run-started' || event.type === 'run-ended') this.#isOver = event.type === 'run-ended';
  }

  /** At the end of a finished run. @throws OutputError if stdout lacks results, unless its reader has chosen so. */
  async expectDelivered(): Promise<void> {
    await flushOutput(this.#io);
    const failure = this.#failure;
    if (!failure || (failure.isReaderGone && this.#isKept && !this.#options.json)) return;
    this.#isReported = true;
    throw new OutputError(failure.cause as NodeJS.ErrnoException, this.#whereabouts());
  }

  /** Stops following stdout. */
  async close(): Promise<void> {
    await flushOutput(this.#io);
    this.#release();
    if (this.#failure && !this.#isReported) printNote(this.#io, this.#failure.message);
  }

  get #isKept(): boolean {
    return this.#run !== null || this.#options.log !== undefined;
  }

  #take(error: OutputError): void {
    if (this.#failure) return;
    this.#failure = error;
    // The results as JSON are the last thing that is written.
    if (this.#options.json) return;
    this.#isReported = true;
    if (this.#isKept) {
      const where = this.#run === null ? `the log ${this.#options.log}` : this.#run;
      const state = this.#isOver ? 'the results are' : 'training goes on, and is saved';
      printNote(this.#io, `cannot write to stdout: ${error.reason}; ${state} in ${where}`);
    } else
      this.#stop.abort(
        new OutputError(error.cause as NodeJS.ErrnoException, 'training stopped; --no-save kept nothing'),
      );
  }

  #whereabouts(): string {
    if (this.#run !== null) {
      const command = resumeCommand(this.#run, ownName(this.#io.env), this.#options.json ? ['--json'] : []);
      return `they are saved in ${this.#run}; to print them again: ${command}`;
    }
    return this.#isKept ? `they are in the log ${this.#options.log}` : '--no-save kept nothing';
  }
}
