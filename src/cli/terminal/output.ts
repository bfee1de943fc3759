import { setImmediate } from 'node:timers/promises';
import { EXIT, UserError } from '../../errors.ts';
import { fileErrorReason } from '../../files.ts';
import type { Io } from './io.ts';

/** Errors of a pipe or socket that nobody reads any more. */
const READER_GONE = ['EPIPE', 'ECONNRESET'];

/** A failed write to stdout. Exit code 141, that of SIGPIPE, if the reader closed the pipe. */
export class OutputError extends UserError {
  override readonly name = 'OutputError';
  readonly isReaderGone: boolean;
  readonly reason: string;

  /** @param consequence added to the message. */
  constructor(cause: NodeJS.ErrnoException, consequence = '') {
    const isReaderGone = READER_GONE.includes(cause.code ?? '');
    const reason = isReaderGone ? 'its reader closed the pipe' : (fileErrorReason(cause) ?? cause.message);
    const exitCode = isReaderGone ? EXIT.brokenPipe : EXIT.failure;
    super(`cannot write the results to stdout: ${reason}${consequence && `; ${consequence}`}`, exitCode, { cause });
    this.isReaderGone = isReaderGone;
    this.reason = reason;
  }
}

/** Handles failed writes to stdout. Of several handlers, only the one set last is called.
 *  @returns a function that removes the handler. */
export function onOutputError(io: Io, handle: (error: OutputError) => void): () => void {
  const listener = (error: NodeJS.ErrnoException) => {
    if (io.stdout.listeners('error').at(-1) === listener) handle(new OutputError(error));
  };
  io.stdout.on('error', listener);
  return () => {
    io.stdout.off('error', listener);
  };
}

/** Ends the process as other programs do: quietly if the reader of stdout, such as `head`, has seen enough. */
export function exitOnOutputError(io: Io): void {
  onOutputError(io, ({ isReaderGone, message, exitCode }) => {
    if (!isReaderGone) io.stderr.write(`error: ${message}\n`);
    io.exit(exitCode);
  });
}

/** Waits until everything has been written, and the errors of it have been handled. On Windows, a pipe takes time. */
export async function flushOutput({ stdout, stderr }: Io): Promise<void> {
  for (const stream of [stdout, stderr]) {
    // An empty write to a stream that is up to date may fail, though nothing is missing.
    if (stream.writableLength > 0) await new Promise((resolve) => stream.write('', resolve));
  }
  await setImmediate();
}
