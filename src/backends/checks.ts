import { type BatchPlan, IMAGE_BYTES, type ImageSet, layOut, type ReceptiveFields } from '../images.ts';
import {
  type Arrangement,
  expectShape,
  type MatmulOptions,
  type Precision,
  type Shape,
  ShapeError,
  type Tensor,
} from './backend.ts';

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

/** Returns the shape of a product, [M, K] · [K, N] → [M, N], or that of all its groups.
 *  @throws ShapeError if the operands are not matrices that fit, or the bias does not, or a symmetric product is not square;
 *  TypeError for a symmetric product with pixels or a bias and, in an integer precision, for pixels times pixels and for
 *  groups that cut a vector that is to be rounded. */
export function productShape(
  a: Tensor,
  b: Tensor,
  { transposeA = false, transposeB = false, bias, groups, symmetric = false }: MatmulOptions,
  precision: Precision,
): readonly [rows: number, columns: number] {
  const [rows, inner] = groupShape(a, transposeA, groups?.count, groups?.a);
  const [innerOfB, columns] = groupShape(b, transposeB, groups?.count, groups?.b);
  if (inner !== innerOfB) {
    throw new ShapeError(`cannot multiply [${rows}, ${inner}] by [${innerOfB}, ${columns}]: the inner lengths differ`);
  }
  const shape = arranged([rows, columns], groups?.count, groups?.into);
  if (symmetric) expectShape('the symmetric product', [rows, columns], [rows, rows]);
  if (symmetric && (bias || a.dtype === 'pixel' || b.dtype === 'pixel')) {
    throw new TypeError('a symmetric product has float operands and no bias');
  }
  if (bias) expectShape('the bias', bias.shape, [shape[1]]);
  if (precision !== 'float32') {
    if (a.dtype === 'pixel' && b.dtype === 'pixel') {
      throw new TypeError('cannot multiply pixels by pixels; one operand must be float32');
    }
    const isCut =
      (b.dtype === 'pixel' && groups?.a === (transposeA ? 'stacked' : 'beside')) ||
      (a.dtype === 'pixel' && groups?.b === (transposeB ? 'beside' : 'stacked'));
    if (isCut) throw new TypeError('the groups cut the vectors of the float32 operand');
  }
  return shape;
}

/** The shape of one of `count` matrices in a tensor, after the transpose. @throws ShapeError if it does not divide. */
function groupShape(tensor: Tensor, isTransposed: boolean, count = 1, arrangement?: Arrangement): Shape {
  const [rows, columns] = matrixShape(tensor);
  const axis = arrangement === 'beside' ? columns : rows;
  if (axis % count !== 0) throw new ShapeError(`cannot divide [${rows}, ${columns}] into ${count} groups`);
  const shape = arrangement === 'beside' ? [rows, columns / count] : [rows / count, columns];
  return isTransposed ? shape.toReversed() : shape;
}

/** The shape of a tensor that holds `count` matrices. */
function arranged([rows, columns]: Shape, count = 1, arrangement?: Arrangement): readonly [number, number] {
  return arrangement === 'beside' ? [rows, columns * count] : [rows * count, columns];
}

/** @throws ShapeError unless `images` are images and the result has room for their receptive fields. */
export function expectFields(images: Tensor, fields: ReceptiveFields, into: Tensor): void {
  const { corners, values } = layOut(fields);
  expectShape('images', images.shape, [into.shape[0], IMAGE_BYTES]);
  expectShape('the receptive fields', into.shape, [images.shape[0], corners.length * values]);
}

/** Returns the shapes of `multiBias`: [B, M] → [B, T·M]. @throws ShapeError if y does not have T times the columns of x. */
export function expectUnits(
  x: Shape,
  y: Shape,
): { readonly rows: number; readonly columns: number; readonly units: number } {
  const units = y[1] / x[1];
  if (!Number.isInteger(units)) throw new ShapeError(`${y[1]} units are not a multiple of ${x[1]} values`);
  expectShape('the units', y, [x[0], y[1]]);
  return { rows: x[0], columns: x[1], units };
}

/** @throws ShapeError unless x is a stack of `count` square matrices, and the result has its shape. */
export function expectSquares(x: Tensor, count: number, result: Tensor): void {
  expectShape('the matrices', x.shape, [count * x.shape[1], x.shape[1]]);
  expectShape('the result', result.shape, x.shape);
}

/** Returns rows and columns. @throws ShapeError for a tensor that is not a matrix. */
export function matrixShape({ shape }: Tensor, isTransposed = false): Shape {
  if (shape.length !== 2) {
    throw new ShapeError(`the operation takes matrices, got a tensor of shape [${shape.join(', ')}]`);
  }
  return isTransposed ? shape.toReversed() : shape;
}
