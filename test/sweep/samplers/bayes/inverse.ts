/** Inverse of a matrix and its determinant, by Gauss–Jordan elimination with pivots. */
export function invert(matrix: readonly (readonly number[])[]): { inverse: number[][]; determinant: number } {
  const n = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  let determinant = 1;
  for (let k = 0; k < n; k++) {
    const pivot = rows
      .slice(k)
      .reduce((best, row, i) => (Math.abs(row[k]) > Math.abs(rows[best][k]) ? k + i : best), k);
    if (pivot !== k) {
      [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
      determinant = -determinant;
    }
    determinant *= rows[k][k];
    const pivotValue = rows[k][k];
    rows[k] = rows[k].map((x) => x / pivotValue);
    for (let i = 0; i < n; i++) {
      const factor = rows[i][k];
      if (i !== k) rows[i] = rows[i].map((x, j) => x - factor * rows[k][j]);
    }
  }
  return { inverse: rows.map((row) => row.slice(n)), determinant };
}

/** aᵀ M b */
export function product(a: readonly number[], matrix: readonly (readonly number[])[], b: readonly number[]): number {
  return a.reduce((sum, x, i) => sum + matrix[i].reduce((inner, m, j) => inner + x * m * b[j], 0), 0);
}
