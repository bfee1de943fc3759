/** The standard normal quantile for 95 %: P(|Z| ≤ z) = 0.95. */
const Z95 = 1.959963984540054;

/** The Wilson score interval of a share: where the true accuracy lies, as far as n images can tell. With p = correct/n,
 *
 *      (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n)
 *
 *  It stays within [0, 1], and has a width even where all answers were right. It speaks of the chance in which images
 *  were drawn for the test, not of the chance in training.
 *  @param correct 0 to n. @param n at least 1. @param z 95 % unless it is given.
 *  Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (1927). */
export function wilsonInterval(correct: number, n: number, z: number = Z95): [low: number, high: number] {
  const p = correct / n;
  const widening = 1 + z ** 2 / n;
  const middle = (p + z ** 2 / (2 * n)) / widening;
  const half = (z * Math.sqrt((p * (1 - p)) / n + z ** 2 / (4 * n ** 2))) / widening;
  // Rounding must not carry the ends past what they are exactly.
  return [correct === 0 ? 0 : middle - half, correct === n ? 1 : middle + half];
}
