/** Images as bytes, and the plan of a batch: the types that the dataset, training and the backends share. */

/** Pixels in a row or a column of an image. */
export const IMAGE_SIDE = 32;
/** Red, green and blue. */
export const CHANNELS = 3;
/** Bytes of one channel of an image. */
export const PLANE_BYTES = IMAGE_SIDE * IMAGE_SIDE;
/** Bytes of an image, one for each of its D = 3072 numbers. */
export const IMAGE_BYTES = CHANNELS * PLANE_BYTES;
/** C, the number of classes. */
export const CLASS_COUNT = 10;

/** Names of the datasets for people. */
export const DATASET_LABEL = { cifar10: 'CIFAR-10', synthetic: 'the synthetic stand-in' } as const;

export type DatasetName = keyof typeof DATASET_LABEL;

/** Choices of dataset. `auto` falls back to generated images if CIFAR-10 is neither on the disk nor on the network. */
export const DATASET_CHOICES = ['auto', 'cifar10', 'synthetic'] as const;
export type DatasetChoice = (typeof DATASET_CHOICES)[number];

/** Images and labels as bytes. */
export interface ImageSet {
  /** [N, 3072]: per image 1024 red, 1024 green and 1024 blue bytes, each plane 32 × 32, row by row. */
  readonly images: Uint8Array;
  /** [N]: 0 to 9. */
  readonly labels: Uint8Array;
}

/** Number of images of each split. */
export interface ImageCounts {
  readonly train: number;
  readonly test: number;
}

export function imageCounts(sets: { readonly train: ImageSet; readonly test: ImageSet }): ImageCounts {
  return { train: sets.train.labels.length, test: sets.test.labels.length };
}

/** The images of a batch, and how to augment each of them. All arrays have length B. */
export interface BatchPlan {
  /** Rows of the ImageSet. */
  readonly indices: Uint32Array;
  /** 1 to mirror the image left to right. */
  readonly flip: Uint8Array;
  /** Pixels to move the image right and down, −31 to 31; the uncovered part is filled by reflection about the border
   *  pixels. */
  readonly shiftX: Int8Array;
  readonly shiftY: Int8Array;
}

/** Square windows of an image, all of one size: those that begin at multiples of `stride` and fit into it, row by row. */
export interface ReceptiveFields {
  /** Pixels in a row or a column of a window: a multiple of 4, at most 32. */
  readonly size: number;
  /** Pixels from one window to the next, right and down. */
  readonly stride: number;
  /** Whether they are those of the mirror image, left to right; by default not. */
  readonly mirrored?: boolean;
}

/** Returns the corners of the P = (⌊(32 − size)/stride⌋ + 1)² windows, and the number K = 3 size² of values of each. */
export function layOut({ size, stride }: Pick<ReceptiveFields, 'size' | 'stride'>): {
  corners: readonly Corner[];
  values: number;
} {
  const starts = Array.from({ length: Math.floor((IMAGE_SIDE - size) / stride) + 1 }, (_, i) => i * stride);
  return { corners: starts.flatMap((y) => starts.map((x) => ({ y, x }))), values: CHANNELS * size * size };
}

/** Row and column of the pixel at the top left of a window. */
export interface Corner {
  readonly y: number;
  readonly x: number;
}

/** Returns an image [3072] of zeros, with the values [3 size²] of a window at its place. */
export function placeInImage(values: ArrayLike<number>, size: number, { y, x }: Corner): Float64Array {
  const image = new Float64Array(IMAGE_BYTES);
  for (let i = 0; i < values.length; i++) {
    const [plane, row, column] = [Math.floor(i / size ** 2), Math.floor(i / size) % size, i % size];
    image[plane * PLANE_BYTES + (y + row) * IMAGE_SIDE + x + column] = values[i];
  }
  return image;
}

/** Scales a byte of an image to the number that networks are given: on CIFAR-10 of mean about 0 and deviation about 1. */
export function scaledPixel(byte: number): number {
  return (byte - 128) / 64;
}

/** The bytes of one image of many: a view, not a copy. @param images [N, 3072]. */
export function imageAt(images: Uint8Array, index: number): Uint8Array {
  return images.subarray(index * IMAGE_BYTES, (index + 1) * IMAGE_BYTES);
}

/** Allocates an image set in memory of its own. */
export function allocateImageSet(count: number): ImageSet {
  return { images: new Uint8Array(count * IMAGE_BYTES), labels: new Uint8Array(count) };
}

/** Allocates an image set in memory that threads can share, or in memory of its own in a browser that has none to share. */
export function allocateSharedImageSet(count: number): ImageSet {
  if (!hasSharedMemory()) return allocateImageSet(count);
  return {
    images: new Uint8Array(new SharedArrayBuffer(count * IMAGE_BYTES)),
    labels: new Uint8Array(new SharedArrayBuffer(count)),
  };
}

/** Browsers have no SharedArrayBuffer in a page that is not isolated from other origins, such as a file. */
function hasSharedMemory(): boolean {
  return typeof SharedArrayBuffer !== 'undefined';
}

/** Returns an image set in memory that threads can share: itself if it is there, otherwise a copy. */
export function shareableImages(set: ImageSet): ImageSet {
  if (!hasSharedMemory()) return set;
  if ([set.images, set.labels].every(({ buffer }) => buffer instanceof SharedArrayBuffer)) return set;
  const copy = allocateSharedImageSet(set.labels.length);
  copy.images.set(set.images);
  copy.labels.set(set.labels);
  return copy;
}
