/** Lower triangle L of a symmetric positive definite matrix A = L Lᵀ. */
export class Cholesky {
  readonly #n: number;
  /** Row after row; what is above the diagonal means nothing. */
  readonly #rows: Float64Array;

  /** @param matrix n × n, row after row. L takes the place of its lower triangle, which alone is read. */
  constructor(matrix: Float64Array, n: number) {
    this.#n = n;
    this.#rows = matrix;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = matrix[i * n + j];
        for (let k = 0; k < j; k++) sum -= matrix[i * n + k] * matrix[j * n + k];
        matrix[i * n + j] = i === j ? Math.sqrt(sum) : sum / matrix[j * n + j];
      }
    }
  }

  /** log |A| */
  logDeterminant(): number {
    let sum = 0;
    for (let i = 0; i < this.#n; i++) sum += 2 * Math.log(this.#rows[i * this.#n + i]);
    return sum;
  }

  /** Replaces b by L⁻¹b. With fewer than n numbers, L is that of as many first rows and columns of A. */
  solveLower(b: Float64Array): void {
    const [n, rows] = [this.#n, this.#rows];
    for (let i = 0; i < b.length; i++) {
      let sum = b[i];
      for (let k = 0; k < i; k++) sum -= rows[i * n + k] * b[k];
      b[i] = sum / rows[i * n + i];
    }
  }

  /** Replaces b by L⁻ᵀb; fewer than n numbers mean the same as in `solveLower`. */
  solveUpper(b: Float64Array): void {
    const [n, rows] = [this.#n, this.#rows];
    for (let i = b.length - 1; i >= 0; i--) {
      b[i] /= rows[i * n + i];
      for (let k = 0; k < i; k++) b[k] -= rows[i * n + k] * b[i];
    }
  }

  /** Lower triangle of A⁻¹ = L⁻ᵀL⁻¹, in a matrix of n × n. */
  inverse(): Float64Array {
    const n = this.#n;
    const half = this.#inverseOfTriangle();
    const inverse = new Float64Array(n * n);
    for (let k = 0; k < n; k++) {
      for (let i = 0; i <= k; i++) {
        const factor = half[k * n + i];
        for (let j = 0; j <= i; j++) inverse[i * n + j] += factor * half[k * n + j];
      }
    }
    return inverse;
  }

  #inverseOfTriangle(): Float64Array {
    const [n, rows] = [this.#n, this.#rows];
    const inverse = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      const scale = 1 / rows[i * n + i];
      for (let k = 0; k < i; k++) {
        const factor = rows[i * n + k] * scale;
        for (let j = 0; j <= k; j++) inverse[i * n + j] -= factor * inverse[k * n + j];
      }
      inverse[i * n + i] = scale;
    }
    return inverse;
  }
}

/** Sum of the products of two vectors, as long as the first. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
