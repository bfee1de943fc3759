import { DataError } from '../errors.ts';
import { integer } from '../format.ts';
import { allocateImageSet, IMAGE_BYTES, type ImageSet } from '../images.ts';

// The binary version of CIFAR-10: six files of 10,000 records without a header. A record is one label byte and 3,072 bytes
// of pixels (1,024 red, 1,024 green, 1,024 blue, each plane 32 × 32, row by row).
// Source: A. Krizhevsky, "The CIFAR-10 dataset", https://www.cs.toronto.edu/~kriz/cifar.html.

export const CLASSES = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
] as const;

const RECORD_BYTES = 1 + IMAGE_BYTES;
export const RECORDS_PER_FILE = 10_000;
export const BATCH_BYTES = RECORDS_PER_FILE * RECORD_BYTES;

export const TRAIN_FILES = [
  'data_batch_1.bin',
  'data_batch_2.bin',
  'data_batch_3.bin',
  'data_batch_4.bin',
  'data_batch_5.bin',
];
export const TEST_FILE = 'test_batch.bin';
/** Names of the six files. The first five are the training set, in this order. */
export const BATCH_FILES: readonly string[] = [...TRAIN_FILES, TEST_FILE];

/** SHA-256 of the six published files, in hexadecimal. */
export const FILE_SHA256: Readonly<Record<string, string>> = {
  'data_batch_1.bin': 'cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5',
  'data_batch_2.bin': 'a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed',
  'data_batch_3.bin': 'bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67',
  'data_batch_4.bin': '014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48',
  'data_batch_5.bin': '755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add',
  'test_batch.bin': '8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b',
};

/** Name of the folder of the six files, on disk and in the archive. */
export const BATCH_FOLDER = 'cifar-10-batches-bin';
export const ARCHIVE_NAME = 'cifar-10-binary.tar.gz';
export const ARCHIVE_URL = `https://www.cs.toronto.edu/~kriz/${ARCHIVE_NAME}`;

/** Advice that ends every message about damaged files. */
export const REPLACEMENT_ADVICE = 'Replace it with a complete copy, or remove it and download CIFAR-10 again.';

/** One of the six files in memory. */
export interface Batch {
  /** Element of BATCH_FILES. */
  readonly name: string;
  /** File that the bytes came from, for error messages. */
  readonly origin: string;
  readonly bytes: Uint8Array;
}

/** Checks the size of a file in bytes. @throws DataError if it is not that of the six files. */
export function checkSize(size: number, origin: string): void {
  if (size === BATCH_BYTES) return;
  const records = recordsIn(size);
  throw new DataError(
    `${origin} has ${integer(size)} bytes${records && ` (${records})`}, wanted ${integer(BATCH_BYTES)}: ` +
      `${integer(RECORDS_PER_FILE)} records of ${integer(RECORD_BYTES)} bytes. ${REPLACEMENT_ADVICE}`,
  );
}

/** What a file of this size in bytes may hold, such as '10,000 records of CIFAR-100'; '' if its size tells nothing. */
export function recordsIn(size: number): string {
  if (size % RECORD_BYTES === 0) return `${integer(size / RECORD_BYTES)} records`;
  // A record of CIFAR-100 has two labels.
  return size % (RECORD_BYTES + 1) === 0 ? `${integer(size / (RECORD_BYTES + 1))} records of CIFAR-100` : '';
}

/** Checks the contents of a file. @throws DataError unless it is 10,000 records with labels 0 to 9. */
export function checkBatch({ bytes, origin }: Batch): void {
  checkSize(bytes.length, origin);
  for (let i = 0; i < RECORDS_PER_FILE; i++) {
    const label = bytes[i * RECORD_BYTES];
    if (label < CLASSES.length) continue;
    throw new DataError(
      `${origin} is damaged: record ${integer(i)} (counting from 0) has label ${label}, ` +
        `wanted 0 to ${CLASSES.length - 1}. ${REPLACEMENT_ADVICE}`,
    );
  }
}

/** Writes record i: one label byte and the bytes of the image. */
export function writeRecord(
  records: Uint8Array,
  i: number,
  { label, image }: { readonly label: number; readonly image: Uint8Array },
): void {
  records[i * RECORD_BYTES] = label;
  records.set(image, i * RECORD_BYTES + 1);
}

/** Decodes records into rows of `images` and `labels`, starting at row `first`. */
export function decodeRecords(records: Uint8Array, { images, labels }: ImageSet, first: number): void {
  for (let at = 0, row = first; at < records.length; at += RECORD_BYTES, row++) {
    labels[row] = records[at];
    images.set(records.subarray(at + 1, at + RECORD_BYTES), row * IMAGE_BYTES);
  }
}

/** Decodes the six files, in any order, into training and test images.
 *  @param imageSet allocates each set.
 *  @throws DataError if a file is damaged. */
export async function decodeBatches(
  batches: AsyncIterable<Batch>,
  imageSet: (count: number) => ImageSet = allocateImageSet,
): Promise<{ train: ImageSet; test: ImageSet }> {
  const train = imageSet(TRAIN_FILES.length * RECORDS_PER_FILE);
  const test = imageSet(RECORDS_PER_FILE);
  for await (const batch of batches) {
    checkBatch(batch);
    if (batch.name === TEST_FILE) decodeRecords(batch.bytes, test, 0);
    else decodeRecords(batch.bytes, train, TRAIN_FILES.indexOf(batch.name) * RECORDS_PER_FILE);
  }
  return { train, test };
}
