import { type DType, expectShape, type Shape, sizeOf, type Tensor } from '../backend.ts';
import { viewShape } from '../checks.ts';

export type Values = Float32Array | Float64Array | Uint8Array;

/** A tensor whose values are in a typed array, row by row. */
class ReferenceTensor implements Tensor {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly values: Values;

  constructor(shape: Shape, dtype: DType, values: Values) {
    this.shape = shape;
    this.dtype = dtype;
    this.values = values;
  }
}

/** The array type of each dtype. A pixel is stored as its value, which is exact in float32. */
const ARRAY_TYPE = { float32: Float32Array, float64: Float64Array, label: Uint8Array, pixel: Float32Array } as const;

export function allocate(shape: Shape, dtype: DType): ReferenceTensor {
  return new ReferenceTensor(shape, dtype, new ARRAY_TYPE[dtype](sizeOf(shape)));
}

export function view(tensor: Tensor, rows: number): ReferenceTensor {
  const shape = viewShape(tensor, rows);
  return new ReferenceTensor(shape, tensor.dtype, valuesOf(tensor).subarray(0, sizeOf(shape)));
}

/** The values of a tensor of this backend. @throws TypeError for a tensor of another backend. */
export function valuesOf(tensor: Tensor): Values {
  if (tensor instanceof ReferenceTensor) return tensor.values;
  throw new TypeError('the tensor belongs to another backend');
}

/** The value of a tensor of shape []. */
export function scalar(tensor: Tensor): number {
  expectShape('the scalar', tensor.shape, []);
  return valuesOf(tensor)[0];
}

export function setScalar(tensor: Tensor, value: number): void {
  expectShape('the scalar', tensor.shape, []);
  valuesOf(tensor)[0] = value;
}
