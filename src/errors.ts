import type { Message } from './message.ts';

/** Exit codes of the command line. A command that a signal stopped exits with 128 + the signal's number. */
export const EXIT = {
  done: 0,
  failure: 1,
  usage: 2,
  data: 3,
  diverged: 4,
  /** That of the command `timeout`. */
  timeLimit: 124,
  brokenPipe: 141,
} as const;

/** An error that the user can fix; the command line prints its message without a stack trace.
 *  The message says what was wrong, what was found, what was expected and what to do next. */
export class UserError extends Error {
  override readonly name: string = 'UserError';
  readonly exitCode: number;
  /** The message before its fields are rendered. Embed this in another message, so that they can still be rendered. */
  readonly text: string | Message;

  constructor(text: string | Message, exitCode: number = EXIT.failure, options?: ErrorOptions) {
    super(String(text), options);
    this.exitCode = exitCode;
    this.text = text;
  }

  /** The first field that the message names; in a UsageError, the invalid one. */
  get field(): string | undefined {
    const named = typeof this.text === 'string' ? [] : this.text.parts.filter((part) => typeof part === 'object');
    return named[0]?.field;
  }
}

/** Invalid option, argument or configuration file (exit 2). */
export class UsageError extends UserError {
  override readonly name = 'UsageError';
  constructor(text: string | Message, options?: ErrorOptions) {
    super(text, EXIT.usage, options);
  }
}

/** Missing or damaged images (exit 3). */
export class DataError extends UserError {
  override readonly name = 'DataError';
  constructor(text: string | Message, options?: ErrorOptions) {
    super(text, EXIT.data, options);
  }
}

/** Diverged training: a NaN or infinite loss or weight (exit 4). */
export class DivergedError extends UserError {
  override readonly name = 'DivergedError';
  constructor(text: string | Message) {
    super(text, EXIT.diverged);
  }
}

/** A file that cannot be read or written, such as for lack of space or permission (exit 1). */
export class FileError extends UserError {
  override readonly name = 'FileError';
  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.failure, options);
  }
}
