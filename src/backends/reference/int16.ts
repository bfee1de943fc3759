import { INT16 } from '../backend.ts';
import type { Matrix } from './matmul.ts';
import type { Values } from './tensor.ts';

const { fround } = Math;

/** The product C = A·B + bias in precision `int16` (INT16 in backend.ts gives the formulas), where one side is pixels. */
export function int16Product(pixels: 'left' | 'right') {
  return (a: Matrix, b: Matrix, bias: Values | undefined, c: Values): void => {
    const [M, K, N] = [a.rows, a.columns, b.columns];
    const rows = Array.from({ length: M }, (_, i) => Float64Array.from({ length: K }, (_, k) => at(a, i, k)));
    const columns = Array.from({ length: N }, (_, j) => Float64Array.from({ length: K }, (_, k) => at(b, k, j)));
    const isLeft = pixels === 'left';
    const bytes = (isLeft ? rows : columns).map((values) => values.map((value) => 64 * value));
    const quantised = (isLeft ? columns : rows).map(quantise);
    for (let i = 0; i < M; i++) {
      for (let j = 0; j < N; j++) {
        const { q, scale } = quantised[isLeft ? j : i];
        const product = fround(scale * blockedSum(q, bytes[isLeft ? i : j]));
        c[i * N + j] = bias ? product + bias[j] : product;
      }
    }
  };
}

function at({ values, rows, columns, transposed }: Matrix, i: number, j: number): number {
  return transposed ? values[j * rows + i] : values[i * columns + j];
}

function quantise(w: Float64Array): { q: Float64Array; scale: number } {
  const max = w.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  if (max < INT16.negligible) return { q: w.map(() => 0), scale: 0 };
  if (!Number.isFinite(max)) return { q: w.map(() => 0), scale: NaN };
  const inverse = fround(INT16.max / max);
  const scale = fround(fround(max / INT16.max) * INT16.pixelScale);
  return { q: w.map((value) => toInt16(fround(value * inverse))), scale };
}

/** The nearest int16; of two, the even one. What is no number becomes 0: the scale is no number then either. */
function toInt16(value: number): number {
  if (Number.isNaN(value)) return 0;
  const below = Math.floor(value);
  const isUp = value - below > 0.5 || (value - below === 0.5 && below % 2 !== 0);
  return Math.max(-32768, Math.min(32767, isUp ? below + 1 : below));
}

function blockedSum(q: Float64Array, pixels: Float64Array): number {
  let sum = 0;
  for (let start = 0; start < q.length; start += INT16.block) {
    let block = 0;
    for (let k = start; k < Math.min(q.length, start + INT16.block); k++) block += q[k] * pixels[k];
    sum = fround(sum + fround(block));
  }
  return sum;
}
