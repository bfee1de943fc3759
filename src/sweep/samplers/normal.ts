/** Beyond, the density is below 10⁻²⁰ and counts as 0. */
const REACH = 9.5;

/** Probability that a standard normal number is between two others. Relative error below 10⁻⁷ unless they are close together. */
export function normalMass(low: number, high: number): number {
  if (low > REACH || high < -REACH) return 0;
  if (low > 0) return upperTail(low) - upperTail(high);
  if (high < 0) return upperTail(-high) - upperTail(-low);
  return 1 - upperTail(-low) - upperTail(high);
}

/** Density of the standard normal distribution. */
export function normalDensity(z: number): number {
  return Math.abs(z) > REACH ? 0 : Math.exp((-z * z) / 2) / ROOT_2_PI;
}

const ROOT_2_PI = Math.sqrt(2 * Math.PI);

/** Probability that a standard normal number is above z ≥ 0, to eight digits. It uses only arithmetic and Math.exp, whose bits are
 *  the same in all versions of Node.
 *  Source: J. F. Hart et al., "Computer Approximations" (1968), 5666; beyond z = 7, the continued fraction of the tail. */
function upperTail(z: number): number {
  const density = Math.exp((-z * z) / 2);
  if (z < 7) return (density * polynomial(NUMERATOR, z)) / polynomial(DENOMINATOR, z);
  return density / ROOT_2_PI / (z + 1 / (z + 2 / (z + 3 / (z + 4 / (z + 0.65)))));
}

function polynomial(coefficients: readonly number[], z: number): number {
  let sum = 0;
  for (let k = coefficients.length - 1; k >= 0; k--) sum = sum * z + coefficients[k];
  return sum;
}

/** From the constant term up. */
const NUMERATOR = [
  220.206867912376, 221.213596169931, 112.079291497871, 33.912866078383, 6.37396220353165, 0.700383064443688,
  0.0352624965998911,
];
const DENOMINATOR = [
  440.413735824752, 793.826512519948, 637.333633378831, 296.564248779674, 86.7807322029461, 16.064177579207,
  1.75566716318264, 0.0883883476483184,
];
