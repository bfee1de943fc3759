import type { BatchPlan, ImageSet } from '../images.ts';
import type { Values } from './reference/tensor.ts';

const SIDE = 32;
const PLANE = SIDE * SIDE;
const PIXELS = 3 * PLANE;

/** Gathers the planned images as (p − 128)/64, flipped and shifted, into rows of 3072, and their labels. */
export function loadBatch(source: ImageSet, plan: BatchPlan, images: Values, labels: Values): void {
  for (let row = 0; row < plan.indices.length; row++) {
    const index = plan.indices[row];
    labels[row] = source.labels[index];
    const columns = sourceColumns(plan.flip[row] === 1, plan.shiftX[row]);
    for (let y = 0; y < SIDE; y++) {
      const from = index * PIXELS + reflect(y - plan.shiftY[row]) * SIDE;
      const to = row * PIXELS + y * SIDE;
      for (let plane = 0; plane < PIXELS; plane += PLANE) {
        for (let x = 0; x < SIDE; x++) images[to + plane + x] = (source.images[from + plane + columns[x]] - 128) / 64;
      }
    }
  }
}

/** For every column of the result the column of the source; the image is flipped first, then shifted. */
export function sourceColumns(flip: boolean, shiftX: number): Uint8Array {
  const columns = new Uint8Array(SIDE);
  for (let x = 0; x < SIDE; x++) {
    const column = reflect(x - shiftX);
    columns[x] = flip ? SIDE - 1 - column : column;
  }
  return columns;
}

/** Folds a coordinate back into 0 … 31, mirroring at the centres of the border pixels: −1 → 1, 32 → 30. */
function reflect(x: number): number {
  if (x < 0) return -x;
  return x < SIDE ? x : 2 * (SIDE - 1) - x;
}
