import { type BatchPlan, IMAGE_BYTES, IMAGE_SIDE, type ImageSet, PLANE_BYTES, scaledPixel } from '../images.ts';
import type { Values } from './reference/tensor.ts';

/** Gathers the planned images, flipped and shifted, as rows of 3072 values (p − 128)/64, and their labels. */
export function loadBatch(source: ImageSet, plan: BatchPlan, images: Values, labels: Values): void {
  for (let row = 0; row < plan.indices.length; row++) {
    const index = plan.indices[row];
    labels[row] = source.labels[index];
    const columns = sourceColumns(plan.flip[row] === 1, plan.shiftX[row]);
    for (let y = 0; y < IMAGE_SIDE; y++) {
      const from = index * IMAGE_BYTES + reflect(y - plan.shiftY[row]) * IMAGE_SIDE;
      const to = row * IMAGE_BYTES + y * IMAGE_SIDE;
      for (let plane = 0; plane < IMAGE_BYTES; plane += PLANE_BYTES) {
        for (let x = 0; x < IMAGE_SIDE; x++)
          images[to + plane + x] = scaledPixel(source.images[from + plane + columns[x]]);
      }
    }
  }
}

/** The source column of each column of the result. The image is flipped first, then shifted. */
export function sourceColumns(flip: boolean, shiftX: number): Uint8Array {
  const columns = new Uint8Array(IMAGE_SIDE);
  for (let x = 0; x < IMAGE_SIDE; x++) {
    const column = reflect(x - shiftX);
    columns[x] = flip ? IMAGE_SIDE - 1 - column : column;
  }
  return columns;
}

/** Reflects a coordinate into 0 … 31 about the centres of the border pixels: −1 → 1, 32 → 30. */
function reflect(x: number): number {
  if (x < 0) return -x;
  return x < IMAGE_SIDE ? x : 2 * (IMAGE_SIDE - 1) - x;
}
