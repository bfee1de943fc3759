import { ShapeError } from '../../backends/backend.ts';
import { IMAGE_BYTES, layOut, type ReceptiveFields } from '../../images.ts';
import type { Gate } from '../gate.ts';

/** Y = [X₁ … X_P], the receptive fields of each image, or of its mirror image: square windows of S × S pixels, row by row
 *  from the top left.
 *
 *  X [B, 3072]; Y [B, P·K], with P = (⌊(32 − S)/stride⌋ + 1)² and K = 3 S², a field's values by plane, row and column.
 *  Images are data, so no gradient flows back to them.
 *  @throws ShapeError unless X are images.
 *  Source: CS231n notes, "Convolutional Neural Networks" (local connectivity). */
export function receptiveFields(fields: ReceptiveFields): Gate<'images'> {
  const { corners, values } = layOut(fields);
  return {
    name: fields.mirrored ? 'mirrored receptive fields' : 'receptive fields',
    shape({ images: [B, D] }) {
      if (D !== IMAGE_BYTES) throw new ShapeError(`an image has ${IMAGE_BYTES} values, got ${D}`);
      return [B, corners.length * values];
    },
    dtype: ({ images }) => images,
    forward(backend, { images }, y) {
      backend.crop(images, fields, y);
    },
    backward: () => ({ images: undefined }),
  };
}
