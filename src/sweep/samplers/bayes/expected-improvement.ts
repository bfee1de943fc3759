import { normalDensity, normalMass } from '../normal.ts';

/** Logarithm of the expected improvement E max(0, f − best) on a value, where f is normal: with z = (mean − best) / deviation,
 *  deviation · (φ(z) + z Φ(z)). It tells points apart where the improvement itself is too small for a number.
 *  Sources: D. R. Jones et al., "Efficient Global Optimization of Expensive Black-Box Functions" (1998); S. Ament et al.,
 *  "Unexpected Improvements to Expected Improvement" (2023). */
export function logExpectedImprovement(mean: number, deviation: number, best: number): number {
  const z = (mean - best) / deviation;
  if (z > -2) return Math.log(deviation) + Math.log(normalDensity(z) + z * normalMass(-Infinity, z));
  // Φ(z) = φ(z) / (c − z) with the continued fraction c = 1/(−z + 2/(−z + 3/(−z + …))): nothing cancels.
  let c = 0;
  for (let k = 30; k > 0; k--) c = k / (c - z);
  return Math.log(deviation) - (z * z + LOG_2_PI) / 2 + Math.log(c / (c - z));
}

const LOG_2_PI = Math.log(2 * Math.PI);
