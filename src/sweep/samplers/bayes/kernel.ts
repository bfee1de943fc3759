import { levelOf } from '../kernels.ts';
import type { Dimension, Point } from '../sampler.ts';

/** Positions of points, one row for each: of a dimension with levels the middle of the level, or its index if the levels have no
 *  order. */
export function positionsOf(dimensions: readonly Dimension[], points: readonly Point[]): Float64Array {
  const positions = new Float64Array(points.length * dimensions.length);
  let at = 0;
  for (const point of points) {
    for (const [d, { levels, isOrdered }] of dimensions.entries()) {
      const level = levels === Infinity ? 0 : levelOf(point[d], levels);
      positions[at++] = levels === Infinity ? point[d] : isOrdered ? (level + 0.5) / levels : level;
    }
  }
  return positions;
}

/** Squared distance of two positions in one dimension. Different levels without an order have distance 1. */
export function squaredDistance({ isOrdered }: Dimension, a: number, b: number): number {
  if (isOrdered) return (a - b) * (a - b);
  return a === b ? 0 : 1;
}

/** Matérn kernel with ν = 5/2 of a distance in length scales: k(r) = (1 + √5 r + 5r²/3) e^(−√5 r). */
export function matern(squared: number): number {
  const s = ROOT_5 * Math.sqrt(squared);
  return (1 + s + (s * s) / 3) * Math.exp(-s);
}

/** Derivative of a kernel k by the logarithm of the length scale ℓ of a dimension, divided by the part (Δ/ℓ)² of this dimension
 *  in r²: 5/3 (1 + √5 r) e^(−√5 r), without the exponential, which takes time. */
export function maternSlope(squared: number, kernel: number): number {
  const s = ROOT_5 * Math.sqrt(squared);
  return ((5 / 3) * (1 + s) * kernel) / (1 + s + (s * s) / 3);
}

const ROOT_5 = Math.sqrt(5);
