import { Random } from '../../random.ts';
import type { Dimension, Sampler } from './sampler.ts';

/** The Sobol sequence, moved by a digital shift that the seed determines: points that fill the space more evenly than random
 *  ones do. Every value of a point alone is uniform.
 *  Source: S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional projections" (2008). */
export function sobolSampler(dimensions: readonly Dimension[], seed: number): Sampler {
  const random = new Random(seed, 'sampler');
  const shifts = dimensions.map(() => random.uint32());
  const numbers = dimensions.map((_, d) => directionNumbers(d));
  return {
    size: Infinity,
    lag: Infinity,
    propose: (trial) => shifts.map((shift, d) => ((sobolInteger(numbers[d], trial) ^ shift) >>> 0) / 2 ** 32),
  };
}

/** Point n of the Sobol sequence in the order of the Gray code, before any shift: integers that stand for 2³² as many. */
export function sobolInteger(numbers: Uint32Array, n: number): number {
  let x = 0;
  for (let gray = n ^ (n >>> 1), k = 0; gray !== 0; gray >>>= 1, k++) if (gray & 1) x ^= numbers[k];
  return x >>> 0;
}

/** Direction numbers v₁ … v₃₂ of a dimension, counted from 0, times 2³². Beyond the initial ones,
 *  v_k = v_{k−s}/2ˢ ⊕ v_{k−s} ⊕ a₁ v_{k−1} ⊕ … ⊕ a_{s−1} v_{k−s+1}. */
export function directionNumbers(dimension: number): Uint32Array {
  const numbers = new Uint32Array(32);
  if (dimension === 0) return numbers.map((_, k) => (1 << (31 - k)) >>> 0);
  const [coefficients, ...initial] = TABLE[dimension - 1];
  const s = initial.length;
  for (let k = 0; k < 32; k++) {
    if (k < s) {
      numbers[k] = initial[k] << (31 - k);
      continue;
    }
    numbers[k] = numbers[k - s] ^ (numbers[k - s] >>> s);
    for (let i = 1; i < s; i++) if ((coefficients >>> (s - 1 - i)) & 1) numbers[k] ^= numbers[k - i];
  }
  return numbers;
}

/** For dimensions 2 to 40: the coefficients a₁ … a_{s−1} of the primitive polynomial as binary digits, then m₁ … m_s.
 *  Source: new-joe-kuo-6, by S. Joe and F. Y. Kuo. */
const TABLE: readonly (readonly number[])[] = [
  [0, 1],
  [1, 1, 3],
  [1, 1, 3, 1],
  [2, 1, 1, 1],
  [1, 1, 1, 3, 3],
  [4, 1, 3, 5, 13],
  [2, 1, 1, 5, 5, 17],
  [4, 1, 1, 5, 5, 5],
  [7, 1, 1, 7, 11, 19],
  [11, 1, 1, 5, 1, 1],
  [13, 1, 1, 1, 3, 11],
  [14, 1, 3, 5, 5, 31],
  [1, 1, 3, 3, 9, 7, 49],
  [13, 1, 1, 1, 15, 21, 21],
  [16, 1, 3, 1, 13, 27, 49],
  [19, 1, 1, 1, 15, 7, 5],
  [22, 1, 3, 1, 15, 13, 25],
  [25, 1, 1, 5, 5, 19, 61],
  [1, 1, 3, 7, 11, 23, 15, 103],
  [4, 1, 3, 7, 13, 13, 15, 69],
  [7, 1, 1, 3, 13, 7, 35, 63],
  [8, 1, 3, 5, 9, 1, 25, 53],
  [14, 1, 3, 1, 13, 9, 35, 107],
  [19, 1, 3, 1, 5, 27, 61, 31],
  [21, 1, 1, 5, 11, 19, 41, 61],
  [28, 1, 3, 5, 3, 3, 13, 69],
  [31, 1, 1, 7, 13, 1, 19, 1],
  [32, 1, 3, 7, 5, 13, 19, 59],
  [37, 1, 1, 3, 9, 25, 29, 41],
  [41, 1, 3, 5, 13, 23, 1, 55],
  [42, 1, 3, 7, 3, 13, 59, 17],
  [50, 1, 3, 1, 3, 5, 53, 69],
  [55, 1, 1, 5, 5, 23, 33, 13],
  [56, 1, 1, 7, 7, 1, 61, 123],
  [59, 1, 1, 7, 9, 13, 61, 49],
  [62, 1, 3, 3, 5, 3, 55, 33],
  [14, 1, 3, 1, 15, 31, 13, 49, 245],
  [21, 1, 3, 5, 15, 31, 59, 63, 97],
  [22, 1, 3, 1, 11, 11, 11, 77, 249],
];
