import type { IntegerPrecision, Precision } from './backend.ts';

/** The arithmetic of the integer precisions, in float32 except for the integer sums:
 *
 *      scale  = max|w|/max · PIXEL_SCALE; 0 if max|w| < ZERO_BELOW, NaN if it is not finite
 *      q_k    = nearest(w_k · (max/max|w|)), ties to even
 *      result = scale · Σ_blocks float32(Σ_k q_k (p_k − 128)), in blocks of `block` k, in ascending order
 *
 *  With |p − 128| ≤ 128, a block of 512 products stays below 2³¹ in int16. In int8, where q + 64 is a byte of 7 bits, the sum of
 *  1,024 products (q + 64)(p − 128) stays below 2²⁴. */
export const INTEGER_FORMATS: Readonly<Record<IntegerPrecision, { readonly max: number; readonly block: number }>> = {
  int16: { max: 32767, block: 512 },
  int8: { max: 63, block: 1024 },
};
export const ZERO_BELOW = 1e-30;
export const PIXEL_SCALE = 1 / 64;

/** The arithmetic of a product with pixels on a backend of this precision. */
export function roundingOf(precision: Precision, exact = false): Precision {
  return exact && precision === 'int8' ? 'int16' : precision;
}
