import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { DataError } from '../../errors.ts';
import { integer } from '../../format.ts';
import { IMAGE_BYTES, IMAGE_SIDE, PLANE_BYTES } from '../../images.ts';
import type { DecodedPicture } from '../../pictures/decode.ts';
import { BATCH_BYTES, type Batch, CLASSES, FILE_SHA256, RECORDS_PER_FILE, writeRecord } from '../cifar10.ts';

/** Pictures to decode between two yields to the event loop, which let an interrupt through. */
const YIELD_INTERVAL = 500;

/** Encoded picture with its label. */
export interface LabelledPicture {
  /** Name for error messages. */
  readonly name: string;
  /** Index into CLASSES, 0 to 9. */
  readonly label: number;
  /** Contents of a PNG or JPEG file. */
  readonly picture: Uint8Array;
}

/** Collects pictures into the batches `names`, 10,000 each, in the order given.
 *
 *  A batch whose SHA-256 is that of a published file gets the name of that file, so that published files may come in any
 *  order. Any other batch gets the first unused name.
 *  @throws DataError if a picture is not 32×32 pixels, or if there are too many or too few pictures.
 *  Rejects with the reason of `signal` if it is aborted. */
export async function* batchPictures(
  pictures: AsyncIterable<LabelledPicture>,
  { names, origin, signal, published = FILE_SHA256 }: BatchOptions,
): AsyncGenerator<Batch> {
  // Imported on demand: most runs read no pictures.
  const { decodePicture } = await import('../../pictures/decode.ts');
  const bytes = new Uint8Array(BATCH_BYTES);
  const unused = new Set(names);
  let count = 0;
  for await (const picture of pictures) {
    if (count === names.length * RECORDS_PER_FILE) checkCount(count + 1, names, origin);
    if (count % YIELD_INTERVAL === 0) await setImmediate();
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
  /** Published SHA-256 by file name. */
  readonly published?: Readonly<Record<string, string>>;
}

/** Checks a number of images. @throws DataError unless it fills the batches exactly. */
export function checkCount(count: number, names: readonly string[], origin: string): void {
  const wanted = names.length * RECORDS_PER_FILE;
  if (count === wanted) return;
  const [got, all] = [count, wanted].map(integer);
  throw new DataError(`${origin} has ${count > wanted ? 'at least ' : ''}${got} images, wanted ${all}.`);
}

/** Converts a decoded picture to an image: 1024 red, 1024 green and 1024 blue bytes. */
function imageOf({ name, label }: LabelledPicture, { width, height, rgb }: DecodedPicture): Uint8Array {
  if (!(label in CLASSES)) throw new DataError(`${name} has label ${label}, wanted 0 to ${CLASSES.length - 1}`);
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
