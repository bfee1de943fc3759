const PLANE = 32 * 32;

/** The pixels of a CIFAR-10 image in the order of picture files.
 *  @param row 3072 bytes: 1024 red, 1024 green, 1024 blue. @returns [32, 32, 3] bytes. */
export function cifarPixels(row: ArrayLike<number>): Uint8Array {
  return Uint8Array.from({ length: 3 * PLANE }, (_, i) => row[(i % 3) * PLANE + Math.floor(i / 3)]);
}

/** How many of the weights of a unit are beyond the ends of the scale: a few extreme ones must not fade all others. */
const CLIPPED = 0.01;

/** The weights of one unit as a picture, mid-grey where they are 0: 128 + 127 w/s, cut off at 1 and 255, where s is the
 *  size that 99 % of the weights do not exceed. Bright red is a weight that likes red.
 *  @param weights 3072 numbers in the order of a CIFAR-10 image. @returns [32, 32, 3] bytes.
 *  Source: CS231n notes, "Linear classification", where the rows of W are shown as templates. */
export function templatePixels(weights: ArrayLike<number>): Uint8Array {
  const sizes = Float64Array.from(weights, Math.abs).sort();
  const end = sizes[Math.ceil((1 - CLIPPED) * sizes.length) - 1] || sizes.at(-1)!;
  const scale = end > 0 ? 127 / end : 0;
  const byte = (weight: number) => Math.round(128 + Math.min(127, Math.max(-127, scale * weight)));
  return cifarPixels(Array.from(weights, byte));
}
