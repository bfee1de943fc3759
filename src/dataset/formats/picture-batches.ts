import { setImmediate } from 'node:timers/promises';
import { DataError } from '../../errors.ts';
import { integer } from '../../format.ts';
import { IMAGE_BYTES, IMAGE_SIDE, PLANE_BYTES } from '../../images.ts';
import { message } from '../../message.ts';
import type { decodePicture } from '../../pictures/decode.ts';
import {
  type Batch,
  CLASSES,
  FILE_SHA256,
  RECORD_BYTES,
  RECORDS_PER_FILE,
  REPLACEMENT_ADVICE,
  recordsPerFile,
  sha256Of,
  writeRecord,
} from '../cifar10.ts';

type Decoder = typeof decodePicture;

/** Pictures to decode between two yields to the event loop, which let an interrupt through. */
const YIELD_INTERVAL = 500;

/** Encoded picture with its label. */
export interface LabelledPicture {
  /** Name for error messages. */
  readonly name: string;
  /** Index into CLASSES, 0 to 9. */
  readonly label: number;
  /** Contents of a PNG or JPEG file, or why they cannot be read. */
  readonly picture: Uint8Array | DataError;
}

/** The pictures of all splits that cannot be read. They are counted to the last, so that the user learns how many there are. */
export class UnreadablePictures {
  readonly #total: number;
  #count = 0;
  #first: DataError | undefined;

  /** @param total number of all pictures. */
  constructor(total: number) {
    this.#total = total;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  add(error: DataError): void {
    this.#first ??= error;
    this.#count++;
  }

  /** @throws DataError that counts the pictures and describes the first, if there are any. */
  check(): void {
    if (!this.#first) return;
    const [count, total] = [this.#count, this.#total].map(integer);
    const which = this.#count === 1 ? ':' : '; the first:';
    throw new DataError(message`${count} of ${total} pictures cannot be used${which} ${this.#first.text}`, {
      cause: this.#first,
    });
  }
}

/** Collects `count` pictures into the batches `names`, in the order given: 10,000 each, or as `recordsPerFile` says.
 *
 *  Pictures that cannot be read are added to `unreadable`, and no batch is returned from then on. The caller checks it after
 *  the last split.
 *
 *  A batch whose SHA-256 is that of a published file gets the name of that file, so that published files may come in any
 *  order. Any other batch gets the first unused name.
 *  @throws DataError if there are more or fewer pictures than `count`.
 *  Rejects with the reason of `signal` if it is aborted. */
export async function* batchPictures(
  pictures: AsyncIterable<LabelledPicture>,
  { names, count, unreadable, origin, signal, published = FILE_SHA256 }: BatchOptions,
): AsyncGenerator<Batch> {
  // Imported on demand: most runs read no pictures.
  const { decodePicture } = await import('../../pictures/decode.ts');
  const isTrusted = count !== names.length * RECORDS_PER_FILE;
  const perFile = recordsPerFile(count, names.length);
  const memory = new Uint8Array(Math.min(count, perFile) * RECORD_BYTES);
  const unused = new Set(names);
  let [done, inBatch] = [0, 0];
  const batch = (): Batch => {
    const bytes = memory.subarray(0, inBatch * RECORD_BYTES);
    const hash = sha256Of(bytes);
    const name = [...unused].find((candidate) => published[candidate] === hash) ?? [...unused][0];
    unused.delete(name);
    inBatch = 0;
    return { name, origin, bytes, isTrusted };
  };
  for await (const picture of pictures) {
    if (done === count) throw new DataError(`${origin} has more than ${integer(count)} images. ${REPLACEMENT_ADVICE}`);
    if (done++ % YIELD_INTERVAL === 0) await setImmediate();
    signal?.throwIfAborted();
    try {
      writeRecord(memory, inBatch, { label: picture.label, image: decode(picture, decodePicture) });
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      unreadable.add(error);
    }
    if (unreadable.isEmpty && ++inBatch === perFile) yield batch();
  }
  if (done < count) throw new DataError(`${origin} has only ${integer(done)} of ${integer(count)} images.`);
  // Fewer images than the published ones leave the last files short or empty.
  while (unreadable.isEmpty && unused.size > 0) yield batch();
}

interface BatchOptions {
  readonly names: readonly string[];
  /** Number of pictures, at least 1. */
  readonly count: number;
  readonly unreadable: UnreadablePictures;
  readonly origin: string;
  readonly signal?: AbortSignal | undefined;
  /** Published SHA-256 by file name. */
  readonly published?: Readonly<Record<string, string>>;
}

/** Converts a picture to an image: 1024 red, 1024 green and 1024 blue bytes. */
function decode({ name, label, picture }: LabelledPicture, decodePicture: Decoder): Uint8Array {
  if (picture instanceof DataError) throw picture;
  if (!(label in CLASSES)) throw new DataError(`${name} has label ${label}, wanted 0 to ${CLASSES.length - 1}`);
  const { width, height, rgb } = decodePicture(picture, name);
  if (width !== IMAGE_SIDE || height !== IMAGE_SIDE) {
    const wanted = `${IMAGE_SIDE}×${IMAGE_SIDE}`;
    throw new DataError(`${name} has ${width}×${height} pixels, wanted ${wanted}, the size of CIFAR-10 images`);
  }
  const image = new Uint8Array(IMAGE_BYTES);
  for (let i = 0, from = 0; i < PLANE_BYTES; i++, from += 3) {
    image[i] = rgb[from];
    image[PLANE_BYTES + i] = rgb[from + 1];
    image[2 * PLANE_BYTES + i] = rgb[from + 2];
  }
  return image;
}
