import { createHash } from 'node:crypto';
import { DataError } from '../errors.ts';
import { integer, plural } from '../format.ts';
import { allocateImageSet, IMAGE_BYTES, type ImageCounts, type ImageSet } from '../images.ts';
import { field, type Message, message } from '../message.ts';

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

export const RECORD_BYTES = 1 + IMAGE_BYTES;
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
  /** Set in all batches of a split that may have another number of images than the published one: any number of records,
   *  even none. */
  readonly isTrusted?: boolean | undefined;
}

/** How to read images. */
export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Accept any number of images. Default: 50,000 for training and 10,000 for testing. */
  readonly trust?: boolean | undefined;
  /** Called with what the user should know about images that are accepted. */
  readonly onNote?: ((note: Message) => void) | undefined;
}

/** Whether a dataset has as many images as the published one. */
export function isFullSet({ train, test }: ImageCounts): boolean {
  return train === TRAIN_FILES.length * RECORDS_PER_FILE && test === RECORDS_PER_FILE;
}

/** Largest number of records in a file of trusted images; the published files have 10,000. It bounds the memory. */
const MAX_RECORDS_PER_FILE = 100_000;

/** Number of records in one of the files that `count` images are divided into, the last ones excepted, which may have
 *  fewer or none: 10,000, or more if the images would not fit. */
export function recordsPerFile(count: number, files: number): number {
  return Math.max(RECORDS_PER_FILE, Math.ceil(count / files));
}

/** Checks the number of images of a split. @throws DataError unless it fills the files exactly or, with `trust`, is from 1
 *  to 100,000 a file. */
export function checkCount(count: number, files: number, origin: string, trust = false): void {
  const wanted = files * RECORDS_PER_FILE;
  if (count === wanted) return;
  const got = `${origin} has ${plural(count, 'image')}`;
  if (!trust) throw new DataError(message`${got}, wanted ${integer(wanted)}. ${trustAdvice()}`);
  const most = files * MAX_RECORDS_PER_FILE;
  if (count < 1 || count > most) throw new DataError(`${got}, wanted 1 to ${integer(most)}.`);
}

/** Advice that ends a message about another number of images. */
export function trustAdvice(): Message {
  return message`To accept another number of images, add ${field('trust', true)}.`;
}

/** Whether a file may have a size in bytes: that of the six files or, with `trust`, that of up to 100,000 records. */
export function isBatchSize(size: number, trust = false): boolean {
  return size === BATCH_BYTES || (trust && size % RECORD_BYTES === 0 && size <= MAX_RECORDS_PER_FILE * RECORD_BYTES);
}

/** @throws DataError if a file may not have a size in bytes; see `isBatchSize`. */
export function checkSize(size: number, origin: string, trust = false): void {
  if (isBatchSize(size, trust)) return;
  const records = recordsIn(size);
  const wanted = trust
    ? `up to ${integer(MAX_RECORDS_PER_FILE)} records of ${integer(RECORD_BYTES)} bytes`
    : `${integer(BATCH_BYTES)}: ${integer(RECORDS_PER_FILE)} records of ${integer(RECORD_BYTES)} bytes`;
  const advice = !trust && size > 0 && isBatchSize(size, true) ? message` ${trustAdvice()}` : '';
  throw new DataError(
    message`${origin} has ${integer(size)} bytes${records && ` (${records})`}, wanted ${wanted}. ${REPLACEMENT_ADVICE}${advice}`,
  );
}

/** What a file of this size in bytes may hold, such as '10,000 records of CIFAR-100'; '' if its size tells nothing. */
export function recordsIn(size: number): string {
  if (size % RECORD_BYTES === 0) return plural(size / RECORD_BYTES, 'record');
  // A record of CIFAR-100 has two labels.
  return size % (RECORD_BYTES + 1) === 0 ? `${plural(size / (RECORD_BYTES + 1), 'record')} of CIFAR-100` : '';
}

/** Checks the contents of a file.
 *  @throws DataError unless it is 10,000 records, or any number of trusted ones, with labels 0 to 9. */
export function checkBatch({ bytes, origin, isTrusted }: Batch): void {
  checkSize(bytes.length, origin, isTrusted);
  for (let at = 0; at < bytes.length; at += RECORD_BYTES) {
    const label = bytes[at];
    if (label < CLASSES.length) continue;
    throw new DataError(
      `${origin} is damaged: record ${integer(at / RECORD_BYTES)} (counting from 0) has label ${label}, ` +
        `wanted 0 to ${CLASSES.length - 1}. ${REPLACEMENT_ADVICE}`,
    );
  }
}

/** SHA-256 of the bytes of a file, as in FILE_SHA256. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
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
 *  @throws DataError if a file is damaged, or a split has no images. */
export async function decodeBatches(
  batches: AsyncIterable<Batch>,
  imageSet: (count: number) => ImageSet = allocateImageSet,
): Promise<{ train: ImageSet; test: ImageSet }> {
  const train = new SplitDecoder(TRAIN_FILES, imageSet);
  const test = new SplitDecoder([TEST_FILE], imageSet);
  for await (const batch of batches) {
    checkBatch(batch);
    (batch.name === TEST_FILE ? test : train).add(batch);
  }
  return { train: train.end('training'), test: test.end('test') };
}

/** Decodes the files of one split. Trusted files are kept until the end, when the number of images is known. */
class SplitDecoder {
  readonly #names: readonly string[];
  readonly #imageSet: (count: number) => ImageSet;
  readonly #kept = new Map<string, Uint8Array>();
  #set: ImageSet | undefined;

  constructor(names: readonly string[], imageSet: (count: number) => ImageSet) {
    this.#names = names;
    this.#imageSet = imageSet;
  }

  add({ name, bytes, isTrusted }: Batch): void {
    if (isTrusted) {
      this.#kept.set(name, bytes.slice());
      return;
    }
    this.#set ??= this.#imageSet(this.#names.length * RECORDS_PER_FILE);
    decodeRecords(bytes, this.#set, this.#names.indexOf(name) * RECORDS_PER_FILE);
  }

  end(split: string): ImageSet {
    if (this.#set) return this.#set;
    const files = this.#names.map((name) => this.#kept.get(name) ?? new Uint8Array());
    const counts = files.map(({ length }) => length / RECORD_BYTES);
    const count = counts.reduce((sum, records) => sum + records, 0);
    if (count === 0) throw new DataError(`the dataset has no ${split} images, wanted at least 1.`);
    const set = this.#imageSet(count);
    let row = 0;
    for (const [i, bytes] of files.entries()) {
      decodeRecords(bytes, set, row);
      row += counts[i];
    }
    return set;
  }
}
