import { IMAGE_BYTES, IMAGE_SIDE, PLANE_BYTES } from '../images.ts';
import type { Picture } from './picture.ts';

/** A picture converted to a CIFAR-10 image. */
export interface CifarImage {
  /** 3072 bytes: 1024 red, 1024 green, 1024 blue, each plane 32 × 32 row by row. */
  readonly row: Uint8Array;
  /** Steps of the conversion, such as 'centre-cropped to 3000×3000' and 'scaled to 32×32'; empty if none was needed. */
  readonly preprocessing: readonly string[];
}

/** Crops the largest centred square from a picture and scales it to 32 × 32. A larger square is shrunk by averaging over
 *  the area of each output pixel; a smaller one is enlarged by linear interpolation between pixel centres. Both work on
 *  the encoded bytes, without gamma correction. A 32 × 32 picture keeps its bytes. */
export function toCifar({ width, height, rgb }: Picture): CifarImage {
  const side = Math.min(width, height);
  const [left, top] = [Math.floor((width - side) / 2), Math.floor((height - side) / 2)];
  const taps = Array.from({ length: IMAGE_SIDE }, (_, i) =>
    side >= IMAGE_SIDE ? averaging(i, side) : interpolating(i, side),
  );

  // First along each row of the square, giving [side, 32, 3]; then down each column, giving [32, 32, 3].
  const narrow = new Float64Array(side * IMAGE_SIDE * 3);
  for (let y = 0, to = 0; y < side; y++) {
    for (const { first, weights } of taps) {
      const from = 3 * ((top + y) * width + left + first);
      for (let c = 0; c < 3; c++) narrow[to++] = weightedSum(weights, rgb, from + c, 3);
    }
  }
  const row = Uint8Array.from({ length: IMAGE_BYTES }, (_, i) => {
    const [c, y, x] = [Math.floor(i / PLANE_BYTES), Math.floor(i / IMAGE_SIDE) % IMAGE_SIDE, i % IMAGE_SIDE];
    const { first, weights } = taps[y];
    return Math.round(weightedSum(weights, narrow, 3 * (first * IMAGE_SIDE + x) + c, 3 * IMAGE_SIDE));
  });

  const preprocessing: string[] = [];
  if (width !== height) preprocessing.push(`centre-cropped to ${side}×${side}`);
  if (side !== IMAGE_SIDE) preprocessing.push(`scaled to ${IMAGE_SIDE}×${IMAGE_SIDE}`);
  return { row, preprocessing };
}

/** Input pixels of a line that contribute to one of its 32 output pixels, with their weights, which sum to 1. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

/** Pixels under the i-th 32nd of the line, each weighted by how much of it is covered. */
function averaging(i: number, side: number): Taps {
  const [start, end] = [(i * side) / IMAGE_SIDE, ((i + 1) * side) / IMAGE_SIDE];
  const first = Math.floor(start);
  const covered = (pixel: number) => Math.min(pixel + 1, end) - Math.max(pixel, start);
  const weights = Array.from({ length: Math.ceil(end) - first }, (_, k) => (covered(first + k) * IMAGE_SIDE) / side);
  return { first, weights };
}

/** The two pixels whose centres enclose the centre of the i-th 32nd of the line, weighted linearly by distance. */
function interpolating(i: number, side: number): Taps {
  const centre = Math.min(side - 1, Math.max(0, ((i + 0.5) * side) / IMAGE_SIDE - 0.5));
  const first = Math.min(Math.floor(centre), Math.max(0, side - 2));
  return { first, weights: side === 1 ? [1] : [1 - (centre - first), centre - first] };
}

function weightedSum(weights: readonly number[], values: ArrayLike<number>, from: number, step: number): number {
  let sum = 0;
  for (let k = 0; k < weights.length; k++) sum += weights[k] * values[from + k * step];
  return sum;
}
