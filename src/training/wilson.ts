/** Standard normal quantile for 95 %: P(|Z| ≤ z) = 0.95. */
const Z95 = 1.959963984540054;

/** Wilson score interval of a proportion: a confidence interval for the true accuracy, given n images. With p = correct/n,
 *
 *      (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n)
 *
 *  It stays within [0, 1] and has a width even if every prediction is correct. It covers chance in the choice of test
 *  images, not chance in training.
 *  @param correct 0 to n. @param n at least 1. @param z quantile; 95 % by default.
 *  Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (1927). */
export function wilsonInterval(correct: number, n: number, z: number = Z95): [low: number, high: number] {
  const p = correct / n;
  const denominator = 1 + z ** 2 / n;
  const middle = (p + z ** 2 / (2 * n)) / denominator;
  const half = (z * Math.sqrt((p * (1 - p)) / n + z ** 2 / (4 * n ** 2))) / denominator;
  // Rounding must not move an end past 0 or 1, its exact value here.
  return [correct === 0 ? 0 : middle - half, correct === n ? 1 : middle + half];
}
