import { DataError } from '../../errors.ts';
import { describeStart, type FileKind, kindOf } from '../../file-kinds.ts';
import { REPLACEMENT_ADVICE, recordsIn } from '../cifar10.ts';

/** What to do about a file of a kind that hides the images or has none. */
const ADVICE: Partial<Record<FileKind['id'], string>> = {
  packed: 'Unpack it, and pass the folder that comes out.',
  page: 'A server sends one when it wants a login or has an error. Download the file again.',
  pointer: 'Fetch the file itself with `git lfs pull`, or download it.',
  pickle: 'Pass the folder with all six pickles of CIFAR-10.',
  parquet: 'Pass the folder with the Parquet files, named train-*.parquet and test-*.parquet.',
};

export interface FileStart {
  /** Name of the file, for the message. */
  readonly origin: string;
  /** Its first bytes, START_BYTES or all that there are. */
  readonly start: Uint8Array;
  /** Its size in bytes, where it is known. */
  readonly size?: number;
}

/** Error about a file of the wrong kind: says what its first bytes, or else its size, show it to be.
 *  @param wanted what it should be. */
export function wrongKind({ origin, start, size = 1 }: FileStart, wanted: string): DataError {
  const kind = kindOf(start);
  const records = kind ? '' : recordsIn(size);
  const advice = records
    ? 'Pass the folder with all six files of CIFAR-10.'
    : (ADVICE[kind?.id ?? 'other'] ?? REPLACEMENT_ADVICE);
  return new DataError(`${origin} ${records ? `has ${records}` : describeStart(start)}; wanted ${wanted}. ${advice}`);
}
