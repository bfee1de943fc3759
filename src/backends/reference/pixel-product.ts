import type { Precision, Tensor } from '../backend.ts';
import { INTEGER_FORMATS, PIXEL_SCALE, ZERO_BELOW } from '../integers.ts';
import type { Matrix } from './matmul.ts';
import type { Values } from './tensor.ts';

const { fround } = Math;

/** Returns the function that computes C = A·B + bias for pixels in an integer precision, as integers.ts says;
 *  undefined for other products. */
export function pixelProduct(left: Tensor, right: Tensor, precision: Precision) {
  if (precision === 'float32' || (left.dtype !== 'pixel' && right.dtype !== 'pixel')) return undefined;
  const isLeft = left.dtype === 'pixel';
  const { max, block } = INTEGER_FORMATS[precision];
  return (a: Matrix, b: Matrix, bias: Values | undefined, c: Values): void => {
    const [M, K, N] = [a.rows, a.columns, b.columns];
    // Both operands as contiguous vectors along k.
    const rows = gather(a.values, M, K, a.transposed);
    const columns = gather(b.values, N, K, !b.transposed);
    const bytes = isLeft ? rows : columns;
    for (let i = 0; i < bytes.length; i++) bytes[i] /= PIXEL_SCALE;
    const scales = quantise(isLeft ? columns : rows, K, max);
    for (let i = 0; i < M; i++) {
      const row = rows.subarray(i * K, (i + 1) * K);
      for (let j = 0; j < N; j++) {
        const sum = blockwiseDot(row, columns.subarray(j * K, (j + 1) * K), block);
        const product = fround(scales[isLeft ? j : i] * sum);
        c[i * N + j] = bias ? product + bias[j] : product;
      }
    }
  };
}

/** Copies `count` vectors of length K from the rows of a matrix [count, K] or, if `isStrided`, the columns of [K, count]. */
function gather(values: Values, count: number, K: number, isStrided: boolean): Float64Array {
  if (!isStrided) return new Float64Array(values);
  const vectors = new Float64Array(count * K);
  for (let k = 0; k < K; k++) {
    for (let i = 0; i < count; i++) vectors[i * K + k] = values[k * count + i];
  }
  return vectors;
}

/** Rounds each vector of length K to integers, in place, and returns their scales. */
function quantise(vectors: Float64Array, K: number, limit: number): Float64Array {
  const scales = new Float64Array(vectors.length / K);
  for (let i = 0; i < scales.length; i++) {
    const w = vectors.subarray(i * K, (i + 1) * K);
    let max = 0;
    for (const value of w) max = Math.max(max, Math.abs(value));
    const scale = max < ZERO_BELOW ? 0 : fround(fround(max / limit) * PIXEL_SCALE);
    scales[i] = Number.isFinite(max) ? scale : NaN;
    const inverse = scales[i] > 0 ? fround(limit / max) : 0;
    for (let k = 0; k < K; k++) w[k] = inverse === 0 ? 0 : toInteger(fround(w[k] * inverse), limit);
  }
  return scales;
}

/** Rounds to the nearest integer of at most `limit`, ties to even. */
function toInteger(value: number, limit: number): number {
  const below = Math.floor(value);
  const isUp = value - below > 0.5 || (value - below === 0.5 && below % 2 !== 0);
  return Math.max(-limit - 1, Math.min(limit, isUp ? below + 1 : below));
}

/** x · y, with exact sums of up to `length` products, added in float32. */
function blockwiseDot(x: Float64Array, y: Float64Array, length: number): number {
  let sum = 0;
  for (let start = 0; start < x.length; start += length) {
    const end = Math.min(x.length, start + length);
    let block = 0;
    for (let k = start; k < end; k++) block += x[k] * y[k];
    sum = fround(sum + fround(block));
  }
  return sum;
}
