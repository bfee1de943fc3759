import { CHANNELS, IMAGE_BYTES, IMAGE_SIDE, layOut, PLANE_BYTES, type ReceptiveFields } from '../../images.ts';
import type { Values } from './tensor.ts';

/** Copies the receptive fields of each image; Backend.crop has the order. */
export function crop(images: Values, fields: ReceptiveFields, target: Values): void {
  const { corners } = layOut(fields);
  let to = 0;
  for (let image = 0; image < images.length; image += IMAGE_BYTES) {
    for (const { y, x } of corners) {
      for (let plane = 0; plane < CHANNELS; plane++) {
        for (let row = 0; row < fields.size; row++) {
          const left = fields.mirrored ? IMAGE_SIDE - x - fields.size : x;
          const from = image + plane * PLANE_BYTES + (y + row) * IMAGE_SIDE + left;
          const pixels = images.slice(from, from + fields.size);
          target.set(fields.mirrored ? pixels.reverse() : pixels, to);
          to += fields.size;
        }
      }
    }
  }
}
