/** Exit codes of the command line. */
export const EXIT = {
  done: 0,
  failure: 1,
  usage: 2,
  data: 3,
  diverged: 4,
  interrupted: 130,
  terminated: 143,
} as const;

/** An error that the user can fix; the command line prints its message without a stack trace.
 *  The message says what was wrong, what was got, what was wanted and what to do next. */
export class UserError extends Error {
  override readonly name: string = 'UserError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failure, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Invalid option, argument or configuration file (exit 2). */
export class UsageError extends UserError {
  override readonly name = 'UsageError';
  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.usage, options);
  }
}

/** Missing or damaged images (exit 3). */
export class DataError extends UserError {
  override readonly name = 'DataError';
  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.data, options);
  }
}

/** Diverged training: a NaN or infinite loss or weight (exit 4). */
export class DivergedError extends UserError {
  override readonly name = 'DivergedError';
  constructor(message: string) {
    super(message, EXIT.diverged);
  }
}

/** A file that cannot be read or written, for lack of space or permission (exit 1). */
export class FileError extends UserError {
  override readonly name = 'FileError';
  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.failure, options);
  }
}
