import { DataError } from '../../errors.ts';

/** How long a server is waited for: milliseconds, where nothing else is said. */
export interface Patience {
  /** Until it is clear that it cannot be reached. */
  readonly answer: number;
  /** Between one piece of an answer and the next. */
  readonly silence: number;
  /** Over which the rate is measured. */
  readonly window: number;
  /** Bytes per second that are asked of a server as long as there is another. */
  readonly rate: number;
  /** Before a connection that was cut is opened again. */
  readonly pause: number;
}

export const PATIENCE: Patience = {
  // Somebody without network shall not wait 5 s to learn it.
  answer: 4_000,
  silence: 20_000,
  window: 15_000,
  rate: 200_000,
  pause: 1_000,
};

/** A file could not be had from its server. `cut`: the connection failed; `slow`: it could still be had, but not soon;
 *  `damaged`: all of it came, but it is another file; `refused`: anything else. */
export class TransferError extends DataError {
  readonly url: string;
  readonly why: string;
  readonly kind: 'cut' | 'slow' | 'damaged' | 'refused';
  /** Bytes per second of one that is slow. */
  readonly rate: number;

  constructor(url: string, why: string, kind: TransferError['kind'], options: ErrorOptions & { rate?: number } = {}) {
    super(`${url}: ${why}`, options);
    this.url = url;
    this.why = why;
    this.kind = kind;
    this.rate = options.rate ?? 0;
  }
}

/** Finds out whether a server answers at all, whatever it says.
 *  @throws TransferError if it does not. */
export async function reach(url: string, patience: Patience, signal?: AbortSignal): Promise<void> {
  const closing = new AbortController();
  try {
    const answer = fetch(url, { method: 'HEAD', redirect: 'manual', signal: either(signal, closing.signal) });
    await patiently(answer, url, patience.answer, signal);
  } finally {
    closing.abort();
  }
}

/** Waits for a step of the transfer, but not for ever; a failure of the network becomes a TransferError. */
export async function patiently<T>(
  step: Promise<T>,
  url: string,
  milliseconds: number,
  signal?: AbortSignal,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    const late = () => reject(new TransferError(url, `nothing came for ${milliseconds / 1000} s`, 'refused'));
    timer = setTimeout(late, milliseconds);
  });
  try {
    return await Promise.race([step, tooLate]);
  } catch (error) {
    signal?.throwIfAborted();
    // fetch says only "fetch failed" or "terminated"; the reason is the cause. Without one it is no matter of networks.
    if (!(error instanceof TypeError && error.cause instanceof Error)) throw error;
    const { message, code } = error.cause as NodeJS.ErrnoException;
    throw new TransferError(url, `the connection failed: ${message || code}`, 'cut', { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

export function either(signal: AbortSignal | undefined, other: AbortSignal): AbortSignal {
  return signal ? AbortSignal.any([signal, other]) : other;
}
