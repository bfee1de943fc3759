import { CHANNELS, IMAGE_BYTES, PLANE_BYTES } from '../images.ts';

/** Reorders a CIFAR-10 image from planes to pixels, the order of picture files.
 *  @param row 3072 bytes: 1024 red, 1024 green, 1024 blue. @returns [32, 32, 3] bytes. */
export function cifarPixels(row: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(
    { length: IMAGE_BYTES },
    (_, i) => row[(i % CHANNELS) * PLANE_BYTES + Math.floor(i / CHANNELS)],
  );
}

/** Share of a unit's weights that may exceed the scale, so that a few extreme weights do not fade all others. */
const CLIPPED_SHARE = 0.01;

/** Draws the weights of one unit as an image: 128 + 127 w/s, clipped to 1 … 255, where s is the 99th percentile of |w|.
 *  Mid-grey is a weight of 0; bright red, a positive weight on the red channel.
 *  @param weights 3072 numbers in the order of a CIFAR-10 image. @returns [32, 32, 3] bytes.
 *  Source: CS231n notes, "Linear classification", where the rows of W are shown as templates. */
export function templatePixels(weights: ArrayLike<number>): Uint8Array {
  const sizes = Float64Array.from(weights, Math.abs).sort();
  const end = sizes[Math.ceil((1 - CLIPPED_SHARE) * sizes.length) - 1] || sizes.at(-1)!;
  const scale = end > 0 ? 127 / end : 0;
  const byte = (weight: number) => Math.round(128 + Math.min(127, Math.max(-127, scale * weight)));
  return cifarPixels(Array.from(weights, byte));
}
