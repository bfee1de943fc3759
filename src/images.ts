/** Images as bytes, and which of them make a batch: what the dataset, training and the backends pass to each other. */

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

/** Room for images in shared memory of its own. */
export function allocateImageSet(count: number): ImageSet {
  return {
    images: new Uint8Array(new SharedArrayBuffer(count * 3072)),
    labels: new Uint8Array(new SharedArrayBuffer(count)),
  };
}
