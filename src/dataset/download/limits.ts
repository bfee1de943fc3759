import { TransferError } from './failures.ts';

/** Limits for slow and silent servers. Times are in milliseconds. */
export interface TransferLimits {
  /** Time for the first response, after which a server counts as unreachable. */
  readonly connectTimeout: number;
  /** Longest gap between two pieces of a response. */
  readonly idleTimeout: number;
  /** Interval over which the rate is measured. */
  readonly rateWindow: number;
  /** Minimum rate in bytes per second. A slower transfer fails while there is another source to try. */
  readonly minRate: number;
  /** Delay before a broken connection is reopened. */
  readonly retryDelay: number;
  /** Largest file. */
  readonly maxBytes: number;
}

export const DEFAULT_LIMITS: TransferLimits = {
  // Without a network, the error should come in less than 5 s.
  connectTimeout: 4_000,
  idleTimeout: 20_000,
  rateWindow: 15_000,
  minRate: 200_000,
  retryDelay: 1_000,
  // Twice the largest version of CIFAR-10, the Python files without compression.
  maxBytes: 400_000_000,
};

/** Waits for a step of a transfer, with a timeout. Turns network failures into TransferErrors. */
export async function withTimeout<T>(
  step: Promise<T>,
  url: string,
  milliseconds: number,
  signal?: AbortSignal,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    const expire = () => reject(new TransferError(url, `no data received for ${milliseconds / 1000} s`, 'unavailable'));
    timer = setTimeout(expire, milliseconds);
  });
  try {
    return await Promise.race([step, timeout]);
  } catch (error) {
    signal?.throwIfAborted();
    // fetch says only "fetch failed" or "terminated"; its cause has the reason. Without a cause it is not a network error.
    if (!(error instanceof TypeError && error.cause instanceof Error)) throw error;
    const { message, code } = innermostCause(error.cause) as NodeJS.ErrnoException;
    throw new TransferError(url, `the connection failed: ${message || code}`, 'disconnected', { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function innermostCause(error: Error): Error {
  return error.cause instanceof Error ? innermostCause(error.cause) : error;
}

export function anySignal(signal: AbortSignal | undefined, other: AbortSignal): AbortSignal {
  return signal ? AbortSignal.any([signal, other]) : other;
}
