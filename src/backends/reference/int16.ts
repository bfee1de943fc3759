import { INT16 } from '../backend.ts';
import type { Matrix } from './matmul.ts';
import type { Values } from './tensor.ts';

const { fround } = Math;

/** Returns the product C = A·B + bias in precision `int16`, with pixels on one side; INT16 in backend.ts has the formulas. */
export function int16Product(pixels: 'left' | 'right') {
  return (a: Matrix, b: Matrix, bias: Values | undefined, c: Values): void => {
    const [M, K, N] = [a.rows, a.columns, b.columns];
    // Both operands as contiguous vectors along k.
    const rows = gather(a.values, M, K, a.transposed);
    const columns = gather(b.values, N, K, !b.transposed);
    const isLeft = pixels === 'left';
    const bytes = isLeft ? rows : columns;
    for (let i = 0; i < bytes.length; i++) bytes[i] /= INT16.pixelScale;
    const scales = quantise(isLeft ? columns : rows, K);
    for (let i = 0; i < M; i++) {
      for (let j = 0; j < N; j++) {
        const product = fround(scales[isLeft ? j : i] * dot(rows, i * K, columns, j * K, K));
        c[i * N + j] = bias ? product + bias[j] : product;
      }
    }
  };
}

/** Copies `count` vectors of length K from the rows of a matrix [count, K] or, if `isStrided`, the columns of [K, count]. */
function gather(values: Values, count: number, K: number, isStrided: boolean): Float64Array {
  if (!isStrided) return Float64Array.from(values);
  const vectors = new Float64Array(count * K);
  for (let k = 0; k < K; k++) {
    for (let i = 0; i < count; i++) vectors[i * K + k] = values[k * count + i];
  }
  return vectors;
}

/** Rounds each vector of length K to integers, in place, and returns their scales. */
function quantise(vectors: Float64Array, K: number): Float64Array {
  const scales = new Float64Array(vectors.length / K);
  for (let i = 0; i < scales.length; i++) {
    const w = vectors.subarray(i * K, (i + 1) * K);
    let max = 0;
    for (const value of w) max = Math.max(max, Math.abs(value));
    const scale = max < INT16.zeroBelow ? 0 : fround(fround(max / INT16.max) * INT16.pixelScale);
    scales[i] = Number.isFinite(max) ? scale : NaN;
    const inverse = scales[i] > 0 ? fround(INT16.max / max) : 0;
    for (let k = 0; k < K; k++) w[k] = inverse === 0 ? 0 : toInt16(fround(w[k] * inverse));
  }
  return scales;
}

/** Rounds to the nearest int16, ties to even. */
function toInt16(value: number): number {
  const below = Math.floor(value);
  const isUp = value - below > 0.5 || (value - below === 0.5 && below % 2 !== 0);
  return Math.max(-32768, Math.min(32767, isUp ? below + 1 : below));
}

function dot(x: Float64Array, xAt: number, y: Float64Array, yAt: number, K: number): number {
  let sum = 0;
  for (let start = 0; start < K; start += INT16.block) {
    const end = Math.min(K, start + INT16.block);
    let block = 0;
    for (let k = start; k < end; k++) block += x[xAt + k] * y[yAt + k];
    sum = fround(sum + fround(block));
  }
  return sum;
}
