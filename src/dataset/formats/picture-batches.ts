import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { DataError } from '../../errors.ts';
import { IMAGE_BYTES, IMAGE_SIDE, PLANE_BYTES } from '../../images.ts';
import type { DecodedPicture } from '../../pictures/decode.ts';
import { BATCH_BYTES, type Batch, CLASSES, FILE_SHA256, RECORDS_PER_FILE, writeRecord } from '../cifar10.ts';

/** Pictures that are decoded without a pause in which an interrupt can come through. */
const AT_A_TIME = 500;

/** An image in a file of its own, or in what was one. */
export interface LabelledPicture {
  /** For messages. */
  readonly name: string;
  /** 0 to 9, for an index of CLASSES. */
  readonly label: number;
  /** A PNG or a JPEG. */
  readonly picture: Uint8Array;
}

/** Puts pictures into the batches `names`, in the order that they come in.
 *
 *  Where each 10,000 of them are those of a published file, but the files come in another order, that is noticed by
 *  their SHA-256, and each batch gets the name that it was published with.
 *  @throws DataError if a picture is not of 32×32 pixels, or if there are more or fewer than the batches hold.
 *  Rejects with the reason of `signal` when that is aborted. */
export async function* batchPictures(
  pictures: AsyncIterable<LabelledPicture>,
  { names, origin, signal, published = FILE_SHA256 }: BatchOptions,
): AsyncGenerator<Batch> {
  // Loaded only here: most runs read no pictures.
  const { decodePicture } = await import('../../pictures/decode.ts');
  const bytes = new Uint8Array(BATCH_BYTES);
  const unused = new Set(names);
  let count = 0;
  for await (const picture of pictures) {
    if (count === names.length * RECORDS_PER_FILE) checkCount(count + 1, names, origin);
    if (count % AT_A_TIME === 0) await setImmediate();
    signal?.throwIfAborted();
    const image = imageOf(picture, decodePicture(picture.picture, picture.name));
    writeRecord(bytes, count++ % RECORDS_PER_FILE, { label: picture.label, image });
    if (count % RECORDS_PER_FILE > 0) continue;
    const hash = createHash('sha256').update(bytes).digest('hex');
    const name = [...unused].find((candidate) => published[candidate] === hash) ?? [...unused][0];
    unused.delete(name);
    yield { name, origin, bytes };
  }
  checkCount(count, names, origin);
}

interface BatchOptions {
  readonly names: readonly string[];
  readonly origin: string;
  readonly signal?: AbortSignal | undefined;
  /** SHA-256 of the published files. */
  readonly published?: Readonly<Record<string, string>>;
}

/** @throws DataError if these are not as many images as the batches hold. */
export function checkCount(count: number, names: readonly string[], origin: string): void {
  const wanted = names.length * RECORDS_PER_FILE;
  if (count === wanted) return;
  const [got, all] = [count, wanted].map((n) => n.toLocaleString('en-US'));
  throw new DataError(`${origin} holds ${count > wanted ? `${got} images or more` : `${got} images`}, wanted ${all}.`);
}

/** @returns 1024 red, 1024 green, 1024 blue bytes. */
function imageOf({ name, label }: LabelledPicture, { width, height, rgb }: DecodedPicture): Uint8Array {
  if (!(label in CLASSES)) throw new DataError(`${name} has the label ${label}, wanted 0 to ${CLASSES.length - 1}`);
  if (width !== IMAGE_SIDE || height !== IMAGE_SIDE) {
    const wanted = `${IMAGE_SIDE}×${IMAGE_SIDE}`;
    throw new DataError(`${name} has ${width}×${height} pixels, wanted ${wanted} as all images of CIFAR-10 have`);
  }
  const image = new Uint8Array(IMAGE_BYTES);
  for (let i = 0, from = 0; i < PLANE_BYTES; i++, from += 3) {
    image[i] = rgb[from];
    image[PLANE_BYTES + i] = rgb[from + 1];
    image[2 * PLANE_BYTES + i] = rgb[from + 2];
  }
  return image;
}
