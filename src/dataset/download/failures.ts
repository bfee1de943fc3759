import { DataError, FileError } from '../../errors.ts';
import { fileErrorReason } from '../../files.ts';
import { field, type Message, message } from '../../message.ts';
import { shownUrl } from './address.ts';

/** Failure to get a file from its server. `disconnected`: the connection failed; `slow`: below the minimum rate;
 *  `damaged`: complete, but not the expected file; `unavailable`: anything else. */
export class TransferError extends DataError {
  /** Address of the file, without credentials. */
  readonly url: string;
  readonly reason: string | Message;
  readonly kind: 'disconnected' | 'slow' | 'damaged' | 'unavailable';
  /** Measured bytes per second, if `kind` is `slow`; else 0. */
  readonly rate: number;

  constructor(
    url: string,
    reason: string | Message,
    kind: TransferError['kind'],
    options: ErrorOptions & { rate?: number } = {},
  ) {
    const shown = shownUrl(url);
    super(message`${shown}: ${reason}`, options);
    this.url = shown;
    this.reason = reason;
    this.kind = kind;
    this.rate = options.rate ?? 0;
  }
}

/** No source on the network provided the images (exit 3). */
export class DownloadError extends DataError {}

/** Combines the errors of all sources into one. Damaged data takes precedence over an unreachable network, so that `auto`
 *  does not fall back to generated images silently. */
export function combinedError(errors: readonly TransferError[]): DataError {
  const [first] = errors;
  const byUrl = new Map(errors.map((error) => [error.url, error]));
  // Sources often fail for the same reason, which is named once.
  const byReason = new Map<string, { readonly reason: string | Message; readonly hosts: Set<string> }>();
  for (const { url, reason } of byUrl.values()) {
    const { hosts } = byReason.get(String(reason)) ?? { hosts: new Set() };
    byReason.set(String(reason), { reason, hosts: hosts.add(new URL(url).host) });
  }
  const list = Array.from(
    byReason.values(),
    ({ reason, hosts }) => message`${[...hosts].join(', ')}: ${reason}`,
  ).reduce((all, text) => message`${all}; ${text}`);
  const text = byUrl.size === 1 ? first.text : message`all ${byUrl.size} sources failed: ${list}`;
  if (!errors.some(({ kind }) => kind === 'damaged')) return new DownloadError(text, { cause: first });
  // Errors about the images themselves end with advice of their own.
  const advice = message`${text}. Try again, pass a good copy as ${field('path')}, or use generated images with ${field('choice', 'synthetic')}.`;
  return new DataError(String(text).endsWith('.') ? text : advice, { cause: first });
}

/** Turns file-system errors of `work` into a FileError that names the cache folder and says what to do. */
export async function withFileErrors<T>(cacheFolder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const reason = fileErrorReason(error);
    if (reason === undefined) throw error;
    const problem = `cannot store the images in ${cacheFolder}: ${reason}`;
    // Nothing can be downloaded here, as in a container whose disk is read-only.
    if (['EACCES', 'EPERM', 'EROFS', 'ERR_ACCESS_DENIED'].includes((error as NodeJS.ErrnoException).code ?? '')) {
      throw new DownloadError(`${problem}; set XDG_CACHE_HOME to a folder that can be written`, { cause: error });
    }
    throw new FileError(
      `${problem}. They need 360 MB; free some space, or choose another folder with XDG_CACHE_HOME.`,
      {
        cause: error,
      },
    );
  }
}
