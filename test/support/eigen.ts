/** Eigenvalues and eigenvectors of a symmetric matrix of M rows by rotations, in float64: A = V diag(values) Vᵀ, with the
 *  eigenvectors in the columns of V.
 *  Source: C. G. J. Jacobi (1846); G. Golub and C. Van Loan, "Matrix Computations", section 8.5 (cyclic Jacobi). */
export function eigen(matrix: ArrayLike<number>, M: number): { values: number[]; vectors: Float64Array } {
  const a = Float64Array.from(matrix);
  const vectors = Float64Array.from({ length: M * M }, (_, i) => (i % (M + 1) === 0 ? 1 : 0));
  const rotate = (x: Float64Array, i: number, j: number, c: number, s: number) => {
    const [xi, xj] = [x[i], x[j]];
    x[i] = c * xi - s * xj;
    x[j] = s * xi + c * xj;
  };
  for (let sweep = 0; sweep < 60; sweep++) {
    for (let p = 0; p < M; p++) {
      for (let q = p + 1; q < M; q++) {
        if (a[p * M + q] === 0) continue;
        const angle = 0.5 * Math.atan2(2 * a[p * M + q], a[q * M + q] - a[p * M + p]);
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        for (let i = 0; i < M; i++) rotate(a, i * M + p, i * M + q, c, s);
        for (let i = 0; i < M; i++) rotate(a, p * M + i, q * M + i, c, s);
        for (let i = 0; i < M; i++) rotate(vectors, i * M + p, i * M + q, c, s);
      }
    }
  }
  return { values: Array.from({ length: M }, (_, i) => a[i * M + i]), vectors };
}
