/** The exit codes of the command line. */
export const EXIT = {
  done: 0,
  failure: 1,
  usage: 2,
  data: 3,
  diverged: 4,
  interrupted: 130,
  terminated: 143,
} as const;

/** Something that the user can put right: the message alone is shown, without a stack.
 *  A message says what was wrong, what was got, what was wanted and what to do next. */
export class UserError extends Error {
  override readonly name: string = 'UserError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failure, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** An option, a configuration file or an argument is wrong (exit 2). */
export class UsageError extends UserError {
  override readonly name = 'UsageError';
  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.usage, options);
  }
}

/** The images are missing or damaged (exit 3). */
export class DataError extends UserError {
  override readonly name = 'DataError';
  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.data, options);
  }
}

/** The loss is NaN or infinite (exit 4). */
export class DivergedError extends UserError {
  override readonly name = 'DivergedError';
  constructor(message: string) {
    super(message, EXIT.diverged);
  }
}

/** A file could not be read or written: no space, no permission (exit 1). */
export class FileError extends UserError {
  override readonly name = 'FileError';
}
