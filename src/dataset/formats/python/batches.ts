import { join } from 'node:path';
import { DataError } from '../../../errors.ts';
import { kindOf } from '../../../file-kinds.ts';
import { integer, plural } from '../../../format.ts';
import { IMAGE_BYTES, imageAt } from '../../../images.ts';
import { type Message, message } from '../../../message.ts';
import { readRegularFile, statRegularFile } from '../../../read-file.ts';
import {
  BATCH_FILES,
  type Batch,
  CLASSES,
  RECORD_BYTES,
  RECORDS_PER_FILE,
  REPLACEMENT_ADVICE,
  type ReadOptions,
  trustAdvice,
  writeRecord,
} from '../../cifar10.ts';
import { type Layout, readEntries } from '../archive.ts';
import { batchMemory, cannotRead } from '../folder.ts';
import { wrongKind } from '../wrong-file.ts';
import { NdArray, numpyGlobals } from './numpy.ts';
import { unpickle } from './pickle.ts';
import type { PickleValue } from './pickle-values.ts';

// The Python version of CIFAR-10: six pickles, each a dict with `data`, a numpy array of bytes [10000, 3072] whose rows are
// the images of the binary version, and `labels`, a list of 10,000 integers from 0 to 9.
// Source: A. Krizhevsky, "The CIFAR-10 dataset", https://www.cs.toronto.edu/~kriz/cifar.html.

/** A batch has 31 MB as published, and 90 MB in the most verbose protocol. */
const MAX_FILE_BYTES = 128 * 2 ** 20;

export const PYTHON: Layout = {
  folder: 'cifar-10-batches-py',
  files: BATCH_FILES.map((name) => name.replace('.bin', '')),
  checkSize: (size, origin) => {
    if (size <= MAX_FILE_BYTES) return;
    throw new DataError(
      `${origin} has ${integer(size)} bytes, wanted about 31,000,000 and at most ${integer(MAX_FILE_BYTES)}. ${REPLACEMENT_ADVICE}`,
    );
  },
};

/** Reads the six batches of a folder as unpacked by torchvision or Keras; see `readSource`. */
export async function* readPythonFolder(folder: string, { signal, trust }: ReadOptions = {}): AsyncGenerator<Batch> {
  const memory = batchMemory();
  for (const name of PYTHON.files) {
    signal?.throwIfAborted();
    const origin = join(folder, name);
    yield decodeBatch({ name, origin, bytes: await read(origin), isTrusted: trust }, memory);
  }
}

/** Reads the six batches of a `cifar-10-python.tar.gz`, in the order of the archive; see `readSource`. */
export async function* readPythonArchive(archive: string, options: ReadOptions = {}): AsyncGenerator<Batch> {
  const memory = batchMemory();
  for await (const file of readEntries(archive, PYTHON, options)) yield decodeBatch(file, memory);
}

async function read(path: string): Promise<Uint8Array> {
  try {
    PYTHON.checkSize((await statRegularFile(path)).size, path);
    return await readRegularFile(path, MAX_FILE_BYTES);
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/** Converts a pickle to the records of the binary version, written to `memory`. */
function decodeBatch({ name, origin, bytes, isTrusted }: Batch, memory: (bytes: number) => Uint8Array): Batch {
  const kind = kindOf(bytes)?.id ?? 'pickle';
  // Pickles of protocol 0 are text.
  if (kind !== 'pickle' && kind !== 'text') throw wrongKind({ origin, start: bytes }, 'a pickle of CIFAR-10');
  const dict = unpickle(bytes, numpyGlobals(), origin);
  const images = imagesOf(dict, origin, isTrusted);
  const count = images.length / IMAGE_BYTES;
  const labels = labelsOf(dict, count, origin);
  const records = memory(count * RECORD_BYTES);
  for (let i = 0; i < count; i++) writeRecord(records, i, { label: labels[i], image: imageAt(images, i) });
  return { name: `${name}.bin`, origin, bytes: records, isTrusted };
}

function imagesOf(dict: PickleValue, origin: string, isTrusted = false): Uint8Array {
  const data = entry(dict, 'data', origin);
  if (!(data instanceof NdArray)) throw notABatch(origin, 'has data that is not a numpy array');
  const [rows, columns] = data.shape;
  const problem = `has data of ${data.shape.map(integer).join(' × ')} bytes`;
  if (data.shape.length !== 2 || columns !== IMAGE_BYTES) throw notABatch(origin, problem);
  if (rows !== RECORDS_PER_FILE && !isTrusted) throw notABatch(origin, problem, message` ${trustAdvice()}`);
  return data.rows();
}

function labelsOf(dict: PickleValue, count: number, origin: string): readonly number[] {
  const labels = entry(dict, 'labels', origin);
  if (!Array.isArray(labels)) throw notABatch(origin, 'has labels that are not a list');
  if (labels.length !== count) throw notABatch(origin, `has ${plural(labels.length, 'label')}`);
  const isLabel = (label: PickleValue): label is number => CLASSES[label as number] !== undefined;
  const invalid = labels.findIndex((label) => !isLabel(label));
  if (invalid >= 0) {
    throw notABatch(origin, `has a label that is not 0 to ${CLASSES.length - 1}, at image ${integer(invalid)}`);
  }
  return labels as readonly number[];
}

function entry(dict: PickleValue, key: string, origin: string): PickleValue | undefined {
  if (!(dict instanceof Map)) throw notABatch(origin, 'is a pickle, but not of a dict');
  if (!dict.has(key) && dict.has('fine_labels')) throw notABatch(origin, 'is of CIFAR-100');
  if (!dict.has(key)) throw notABatch(origin, `has a dict without '${key}'; it has ${keys(dict)}`);
  return dict.get(key);
}

function keys(dict: ReadonlyMap<string, PickleValue>): string {
  const names = [...dict.keys()].slice(0, 8).map((key) => JSON.stringify(key.slice(0, 40)));
  return names.length === 0 ? 'nothing' : names.join(', ');
}

function notABatch(origin: string, problem: string, advice: string | Message = ''): DataError {
  const wanted = `${integer(RECORDS_PER_FILE)} images of ${integer(IMAGE_BYTES)} bytes and as many labels`;
  return new DataError(
    message`${origin} ${problem}; wanted a batch of CIFAR-10: ${wanted}. ${REPLACEMENT_ADVICE}${advice}`,
  );
}
