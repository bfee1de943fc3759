/** Images as bytes, and which of them make a batch: what the dataset, training and the backends pass to each other. */

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

/** Images and labels as bytes, in shared memory. */
export interface ImageSet {
  /** [N, 3072]: of each image 1024 red, 1024 green, 1024 blue bytes, each plane 32 × 32 row by row. */
  readonly images: Uint8Array<SharedArrayBuffer>;
  /** [N]: 0 to 9. */
  readonly labels: Uint8Array<SharedArrayBuffer>;
}

/** Which images make a batch, and how each of them is changed on the way in. All arrays are of length B. */
export interface BatchPlan {
  /** Rows of the ImageSet. */
  readonly indices: Uint32Array;
  /** 1 to mirror left and right. */
  readonly flip: Uint8Array;
  /** Pixels by which the image moves right and down, −31 to 31; what it uncovers is filled by reflection
   *  about the border pixel. */
  readonly shiftX: Int8Array;
  readonly shiftY: Int8Array;
}

/** The bytes of one image of many: a view, not a copy. @param images [N, 3072]. */
export function imageAt(images: Uint8Array, index: number): Uint8Array {
  return images.subarray(index * IMAGE_BYTES, (index + 1) * IMAGE_BYTES);
}

/** Room for images in shared memory of its own. */
export function allocateImageSet(count: number): ImageSet {
  return {
    images: new Uint8Array(new SharedArrayBuffer(count * IMAGE_BYTES)),
    labels: new Uint8Array(new SharedArrayBuffer(count)),
  };
}
