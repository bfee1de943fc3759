import type { Values } from './reference/tensor.ts';

/** Below this, a matrix counts as zero. */
const NEGLIGIBLE = 1e-30;

/** Divides each of `count` stacked square matrices by a bound of its eigenvalues; Backend.normalise has the formulas. */
export function normalise(x: Values, count: number, into: Values, root: Values): void {
  const size = x.length / count;
  const M = Math.sqrt(size);
  for (let p = 0; p < count; p++) {
    const at = p * size;
    const bound = eigenvalueBound(x.subarray(at, at + size), M);
    const inverse = bound < NEGLIGIBLE ? 0 : 1 / bound;
    root.fill(0, at, at + size);
    for (let i = 0; i < M; i++) root[at + i * M + i] = Math.sqrt(inverse);
    for (let i = at; i < at + size; i++) into[i] = x[i] * inverse;
  }
}

/** min(largest row sum of |a|, Frobenius norm) */
function eigenvalueBound(a: Values, M: number): number {
  let [largest, squares] = [0, 0];
  for (let row = 0; row < a.length; row += M) {
    let sum = 0;
    for (let i = row; i < row + M; i++) {
      sum += Math.abs(a[i]);
      squares += a[i] * a[i];
    }
    largest = Math.max(largest, sum);
  }
  return Math.min(largest, Math.sqrt(squares));
}
