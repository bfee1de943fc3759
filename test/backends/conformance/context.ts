import { expect } from 'vitest';
import {
  type Backend,
  type DType,
  type Precision,
  type Shape,
  sizeOf,
  type Tensor,
  type WritingSink,
} from '../../../src/backends/backend.ts';
import { Random } from '../../../src/random.ts';
import { normals } from '../../support/graphs.ts';

/** A backend, with helpers to write inputs and check results. */
export type Context = ReturnType<typeof contextOf>;

export function contextOf(backend: Backend) {
  // Relative to the largest result; for sums of up to 3072 products of numbers around 1.
  const tolerance = backend.dtype === 'float64' ? 1e-12 : 2e-5;

  const tensor = (shape: Shape, values: ArrayLike<number> | string, dtype?: DType): Tensor => {
    const result = backend.allocate(shape, dtype);
    backend.write(result, typeof values === 'string' ? normals(sizeOf(shape), values) : values);
    return result;
  };
  /** The values that `tensor(shape, seed)` holds: rounded to float32 if that is the backend's dtype. */
  const valuesOf = (shape: Shape, seed: string): Float64Array => {
    const values = normals(sizeOf(shape), seed);
    return backend.dtype === 'float64' ? values : Float64Array.from(values, Math.fround);
  };
  const storeIn = (shape: Shape): WritingSink => ({ kind: 'store', tensor: backend.allocate(shape) });
  const scalar = (value: number) => tensor([], [value]);
  const expectClose = async (result: Tensor, expected: ArrayLike<number>) => {
    const values = await backend.read(result);
    expect(values.length).toBe(expected.length);
    const largest = Array.from(expected).reduce((max, value) => Math.max(max, Math.abs(value)), 1e-3);
    let worst = 0;
    for (let i = 0; i < values.length; i++) {
      const error = Math.abs(values[i] - expected[i]) / largest;
      worst = Math.max(worst, error);
    }
    expect(worst).toBeLessThan(tolerance);
  };
  return { backend, tensor, valuesOf, storeIn, scalar, expectClose };
}

/** Values that pixels have. */
export function pixelValues(count: number, seed: number): Float64Array {
  const random = new Random(seed, 'crop');
  return Float64Array.from({ length: count }, () => (random.integer(256) - 128) / 64);
}

/** The largest error of products with pixels, relative to the largest result. In int16 each float is rounded by up to 1/65,534 of
 *  the largest in its row, in int8 by up to 1/126. */
export const TOLERANCE_OF_PIXELS: Readonly<Record<Precision, number>> = { float32: 2e-5, int16: 1e-4, int8: 4e-2 };
