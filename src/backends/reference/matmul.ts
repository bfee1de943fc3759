import type { Tensor } from '../backend.ts';
import { matrixShape } from '../checks.ts';
import { type Values, valuesOf } from './tensor.ts';

/** A matrix in memory: element (i, j) is values[i · columns + j], or values[j · rows + i] if transposed. */
export interface Matrix {
  readonly values: Values;
  readonly rows: number;
  readonly columns: number;
  readonly transposed: boolean;
}

export function matrix(tensor: Tensor, transposed = false): Matrix {
  const [rows, columns] = matrixShape(tensor, transposed);
  return { values: valuesOf(tensor), rows, columns, transposed };
}

/** C = A·B + bias, [M, K] · [K, N] → [M, N]; every sum runs over k = 0 … K − 1, in this order and in float64. */
export function matmul(a: Matrix, b: Matrix, bias: Values | undefined, c: Values): void {
  const [M, K, N] = [a.rows, a.columns, b.columns];
  const aRows = a.transposed ? transpose(a.values, K, M) : a.values;
  const sums = new Float64Array(N);
  for (let i = 0; i < M; i++) {
    if (b.transposed) dotRows(aRows, i * K, b.values, K, N, sums);
    else combineRows(aRows, i * K, b.values, K, N, sums);
    if (bias) for (let j = 0; j < N; j++) c[i * N + j] = sums[j] + bias[j];
    else c.set(sums, i * N);
  }
}

/** A·B on and above the diagonal, and its mirror image below. */
export function symmetricMatmul(a: Matrix, b: Matrix, bias: Values | undefined, c: Values): void {
  const M = a.rows;
  matmul(a, b, bias, c);
  for (let i = 0; i < M; i++) for (let j = 0; j < i; j++) c[i * M + j] = c[j * M + i];
}

/** sums[j] = Σ_k a[at + k] · b[j, k]: dot products with the rows of b, four at a time, so that the processor does not wait
 *  for each addition of a single sum. */
function dotRows(a: Values, at: number, b: Values, K: number, N: number, sums: Float64Array): void {
  let j = 0;
  for (; j + 4 <= N; j += 4) {
    const [row0, row1, row2, row3] = [j * K, (j + 1) * K, (j + 2) * K, (j + 3) * K];
    let [sum0, sum1, sum2, sum3] = [0, 0, 0, 0];
    for (let k = 0; k < K; k++) {
      const x = a[at + k];
      sum0 += x * b[row0 + k];
      sum1 += x * b[row1 + k];
      sum2 += x * b[row2 + k];
      sum3 += x * b[row3 + k];
    }
    sums[j] = sum0;
    sums[j + 1] = sum1;
    sums[j + 2] = sum2;
    sums[j + 3] = sum3;
  }
  for (; j < N; j++) {
    let sum = 0;
    for (let k = 0; k < K; k++) sum += a[at + k] * b[j * K + k];
    sums[j] = sum;
  }
}

/** sums[j] = Σ_k a[at + k] · b[k, j]: a weighted sum of the rows of b, four rows at a time, so that each sum is loaded and
 *  stored once per four terms. */
function combineRows(a: Values, at: number, b: Values, K: number, N: number, sums: Float64Array): void {
  sums.fill(0);
  let k = 0;
  for (; k + 4 <= K; k += 4) {
    const [x0, x1, x2, x3] = [a[at + k], a[at + k + 1], a[at + k + 2], a[at + k + 3]];
    const [row0, row1, row2, row3] = [k * N, (k + 1) * N, (k + 2) * N, (k + 3) * N];
    for (let j = 0; j < N; j++) {
      sums[j] = sums[j] + x0 * b[row0 + j] + x1 * b[row1 + j] + x2 * b[row2 + j] + x3 * b[row3 + j];
    }
  }
  for (; k < K; k++) {
    const x = a[at + k];
    for (let j = 0, row = k * N; j < N; j++) sums[j] += x * b[row + j];
  }
}

/** The transpose of x [rows, columns], as a new array [columns, rows]. */
export function transpose(x: Values, rows: number, columns: number): Values {
  const result = new Float64Array(x.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = x[i * columns + j];
  }
  return result;
}
