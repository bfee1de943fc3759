/** Spearman's rank correlation of pairs (x, y): ρ = Σ (r−r̄)(s−s̄) / √(Σ (r−r̄)² · Σ (s−s̄)²), where r and s are the ranks of x
 *  and y, and equal values have the mean of their ranks. It is 1 if y always rises with x, −1 if it always falls.
 *
 *  @returns null for fewer than three pairs, or if all x or all y are equal.
 *  Source: C. Spearman, "The Proof and Measurement of Association between Two Things" (1904). */
export function rankCorrelation(pairs: readonly (readonly [x: number, y: number])[]): number | null {
  const [r, s] = [0, 1].map((i) => ranks(pairs.map((pair) => pair[i])));
  // The mean of the ranks 1 … n, whatever the ties.
  const mean = (pairs.length + 1) / 2;
  let [products, squaresR, squaresS] = [0, 0, 0];
  for (let i = 0; i < pairs.length; i++) {
    products += (r[i] - mean) * (s[i] - mean);
    squaresR += (r[i] - mean) ** 2;
    squaresS += (s[i] - mean) ** 2;
  }
  return pairs.length < 3 || squaresR === 0 || squaresS === 0 ? null : products / Math.sqrt(squaresR * squaresS);
}

/** Ranks from 1; equal values have the mean of their ranks. */
function ranks(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return values.map((value) => {
    const first = sorted.indexOf(value);
    const last = sorted.lastIndexOf(value);
    return (first + last) / 2 + 1;
  });
}
