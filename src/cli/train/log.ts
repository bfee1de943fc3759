import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import type { Command } from 'commander';
import { effectiveConfig } from '../../config/resolve.ts';
import { fileError, fileErrorReason } from '../../files.ts';
import type { RunEvent } from '../../runs/events.ts';
import { type Io, printNote } from '../terminal/io.ts';
import { stoppedResult } from './stopped.ts';

/** Appends the start, the epochs and the end of a run to a file of JSON lines. Every line names the model, the dataset, the
 *  seed and the run, so that many runs can share one file.
 *
 *  A line that cannot be written does not stop the run: it is kept and tried again with the next one. */
export class RunLog {
  readonly #io: Io;
  readonly #command: Command;
  readonly #file: string;
  /** Of a pipe, which its reader would take for ended if it were closed; a regular file is opened for every write. */
  readonly #pipe: number | undefined;
  #run: object = {};
  /** Lines not yet in the file. */
  #missing: string[] = [];
  /** Why the last write failed. */
  #failure: string | undefined;
  #hasFailed = false;
  /** Whether the file ends with a part of a line. */
  #isCut = false;

  /** @throws FileError if the file cannot be opened. */
  constructor(io: Io, command: Command, file: string) {
    this.#io = io;
    this.#command = command;
    this.#file = file;
    try {
      const opened = openSync(file, 'a');
      if (fstatSync(opened).isFIFO()) this.#pipe = opened;
      else closeSync(opened);
      this.#isCut = this.#pipe === undefined && endsWithinLine(file);
    } catch (error) {
      throw fileError(`cannot write the log ${file}`, error);
    }
  }

  write(event: RunEvent): void {
    switch (event.type) {
      case 'run-started': {
        const { config, dataset, environment, parameters, trainImages, validationImages, run, progress } = event;
        this.#run = { model: config.model, dataset: dataset.name, seed: config.seed, run };
        const images = { train: trainImages, validation: validationImages, test: dataset.test.labels.length };
        this.#append(event.type, {
          step: progress.step,
          images,
          parameters,
          config: effectiveConfig(config),
          environment,
        });
        return;
      }
      case 'epoch-ended':
        this.#append(event.type, { ...event.metrics, isBest: event.isBest });
        return;
      case 'run-ended':
        this.#append(event.type, event.result);
        return;
      case 'run-stopped':
        this.#append(event.type, stoppedResult(event, this.#command, this.#io.env));
        return;
    }
  }

  /** Says how many lines are missing, if any. Writes no more. */
  close(): void {
    if (this.#missing.length > 0) this.#writeMissing();
    const count = this.#missing.length;
    if (count === 0) return;
    const lines = count === 1 ? '1 line is' : `${count} lines are`;
    printNote(this.#io, `${lines} missing from the log ${this.#file}: ${this.#failure}`);
  }

  #append(type: RunEvent['type'], fields: object): void {
    this.#missing.push(`${JSON.stringify({ type, time: new Date().toISOString(), ...this.#run, ...fields })}\n`);
    this.#writeMissing();
    if (this.#failure === undefined || this.#hasFailed) return;
    this.#hasFailed = true;
    printNote(
      this.#io,
      `cannot write the log ${this.#file}: ${this.#failure}; training goes on, and the line is tried again with the next`,
    );
  }

  #writeMissing(): void {
    try {
      const file = this.#pipe ?? openSync(this.#file, 'a');
      try {
        while (this.#missing.length > 0) {
          this.#writeLine(file, this.#missing[0]);
          this.#missing.shift();
        }
      } finally {
        if (file !== this.#pipe) closeSync(file);
      }
      this.#failure = undefined;
    } catch (error) {
      this.#failure = fileErrorReason(error) ?? String(error);
    }
  }

  /** Writes a line whole, on a line of its own. A full disk may take a part of it only. */
  #writeLine(file: number, line: string): void {
    const bytes = Buffer.from(this.#isCut ? `\n${line}` : line);
    for (let written = 0; written < bytes.length; ) {
      written += writeSync(file, bytes, written);
      this.#isCut = written < bytes.length;
    }
  }
}

/** Whether the last process that wrote to a file died, or found the disk full, within a line. */
function endsWithinLine(file: string): boolean {
  try {
    const opened = openSync(file, 'r');
    try {
      const { size } = fstatSync(opened);
      const last = Buffer.alloc(1);
      return size > 0 && readSync(opened, last, 0, 1, size - 1) === 1 && String(last) !== '\n';
    } finally {
      closeSync(opened);
    }
  } catch {
    // A file may be writable but not readable.
    return false;
  }
}
