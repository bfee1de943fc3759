/** Hashes a 32-bit integer: a bijection in which each output bit depends on all input bits.
 *  Source: lowbias32 in C. Wellons, "Prospecting for Hash Functions" (2018). */
export function hash32(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Seeded pseudo-random number generator: xoshiro128**, period 2¹²⁸ − 1.
 *
 *  A seed and a path such as ('order', epoch) identify a stream. Each purpose and each epoch or step has its own stream, so
 *  drawing more numbers from one never shifts another, and a resumed run needs only the seed and its current step.
 *
 *  It uses only integer arithmetic, division, Math.sqrt and Math.log, so that every engine gives the same numbers.
 *  Source: D. Blackman and S. Vigna, "Scrambled Linear Pseudorandom Number Generators" (2021). */
export class Random {
  readonly #state = new Uint32Array(4);
  #spareNormal: number | undefined;

  /** @param seed integer, 0 to 2⁵³ − 1. @param path the purpose of the stream. */
  constructor(seed: number, ...path: readonly (string | number)[]) {
    let key = hash32(seed >>> 0) ^ hash32(Math.floor(seed / 2 ** 32) + 0x9e3779b9);
    for (const character of path.join('/')) key = hash32(key ^ (character.codePointAt(0)! + 0x9e3779b9));
    for (let i = 0; i < 4; i++) this.#state[i] = hash32((key = (key + 0x9e3779b9) >>> 0));
  }

  /** A uniform integer in [0, 2³²). */
  uint32(): number {
    const s = this.#state;
    const x = Math.imul(s[1], 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
  }

  /** A uniform number in [0, 1), a multiple of 2⁻³². */
  uniform(): number {
    return this.uint32() / 2 ** 32;
  }

  /** A uniform integer in [0, limit), without bias. @param limit integer, 1 to 2³². */
  integer(limit: number): number {
    for (;;) {
      const x = this.uint32();
      // Below the last multiple of the limit, which the first condition tells without a division. A remainder of
      // floating-point numbers is slow; the floor of the quotient is exact, because x has 32 bits.
      if (x <= 2 ** 32 - limit || x < 2 ** 32 - (2 ** 32 % limit)) return x - Math.floor(x / limit) * limit;
    }
  }

  /** A standard normal number (Marsaglia's polar method). */
  normal(): number {
    if (this.#spareNormal !== undefined) {
      const spare = this.#spareNormal;
      this.#spareNormal = undefined;
      return spare;
    }
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const s = u * u + v * v;
      if (s >= 1 || s === 0) continue;
      const radius = Math.sqrt((-2 * Math.log(s)) / s);
      this.#spareNormal = v * radius;
      return u * radius;
    }
  }

  /** Shuffles the values in place: every order is equally likely (Fisher–Yates). */
  shuffle<T extends Uint32Array>(values: T): T {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const value = values[i];
      values[i] = values[j];
      values[j] = value;
    }
    return values;
  }
}
