import { type BatchPlan, IMAGE_BYTES, type ImageSet } from '../images.ts';
import { expectShape, type MatmulOptions, type Precision, type Shape, ShapeError, type Tensor } from './backend.ts';

// Checks of operands that every backend makes before any work.

/** Returns the shape of the first `rows` rows of a tensor. @throws ShapeError if there are fewer. */
export function viewShape({ shape }: Tensor, rows: number): Shape {
  if (shape.length === 0 || rows > shape[0]) {
    throw new ShapeError(`cannot view ${rows} rows of a tensor of shape [${shape.join(', ')}]`);
  }
  return [rows, ...shape.slice(1)];
}

/** @throws ShapeError if the tensors do not fit the plan; RangeError if it names an image that the source does not have. */
export function expectBatch(source: ImageSet, { indices }: BatchPlan, images: Tensor, labels: Tensor): void {
  expectShape('images', images.shape, [indices.length, IMAGE_BYTES]);
  expectShape('labels', labels.shape, [indices.length]);
  const missing = indices.find((index) => index >= source.labels.length);
  if (missing !== undefined) throw new RangeError(`image ${missing} of ${source.labels.length}`);
}

/** Returns the shape of a product, [M, K] · [K, N] → [M, N].
 *  @throws ShapeError if the operands are not matrices that fit, or the bias does not; TypeError for pixels times pixels in
 *  precision int16. */
export function productShape(
  a: Tensor,
  b: Tensor,
  { transposeA = false, transposeB = false, bias }: MatmulOptions,
  precision: Precision,
): readonly [rows: number, columns: number] {
  const [rows, inner] = matrixShape(a, transposeA);
  const [innerOfB, columns] = matrixShape(b, transposeB);
  if (inner !== innerOfB) {
    throw new ShapeError(`cannot multiply [${rows}, ${inner}] by [${innerOfB}, ${columns}]: the inner lengths differ`);
  }
  if (bias) expectShape('the bias', bias.shape, [columns]);
  if (precision === 'int16' && a.dtype === 'pixel' && b.dtype === 'pixel') {
    throw new TypeError('cannot multiply pixels by pixels; one operand must be float32');
  }
  return [rows, columns];
}

/** Returns rows and columns. @throws ShapeError for a tensor that is not a matrix. */
export function matrixShape({ shape }: Tensor, isTransposed = false): Shape {
  if (shape.length !== 2) {
    throw new ShapeError(`the operation takes matrices, got a tensor of shape [${shape.join(', ')}]`);
  }
  return isTransposed ? shape.toReversed() : shape;
}
