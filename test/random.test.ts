import { describe, expect, it } from 'vitest';
import { Random } from '../src/random.ts';

const draw = <T>(count: number, next: () => T): T[] => Array.from({ length: count }, next);

describe('Random', () => {
  // Expected values from an independent implementation of the published algorithms in another language.
  it('keeps its streams from version to version, so that a seed keeps its meaning', () => {
    const random = new Random(42, 'order', 7);
    expect(draw(4, () => random.uint32())).toEqual([3971852516, 1311196462, 165485998, 921272356]);
    expect(new Random(2 ** 53 - 1).uint32()).toBe(4113798308);
  });

  it('has a different stream for every seed and path', () => {
    const paths: [number, ...(string | number)[]][] = [
      [0],
      [1],
      [2 ** 32],
      [2 ** 32 + 1],
      [0, 'a'],
      [0, 'b'],
      [0, 'a', 1],
      [0, 'a', 11],
      [0, 'a', 1, 1],
      [1, 'a', 1],
    ];
    const streams = paths.map(([seed, ...path]) => {
      const random = new Random(seed, ...path);
      return draw(3, () => random.uint32()).join();
    });
    expect(new Set(streams).size).toBe(paths.length);
  });

  it('draws uniform integers without bias', () => {
    const random = new Random(1, 'integer');
    // χ² with 2 degrees of freedom exceeds 20 with probability 5e-5. A limit of 3 · 2³⁰ reveals the bias of a plain
    // remainder of 2³²: one third of the range would get half of all draws.
    const counts = [0, 0, 0];
    for (const value of draw(30000, () => random.integer(3 * 2 ** 30))) counts[Math.floor(value / 2 ** 30)]++;
    const chiSquared = counts.reduce((sum, count) => sum + (count - 10000) ** 2 / 10000, 0);
    expect(chiSquared).toBeLessThan(20);
    expect(new Set(draw(100, () => random.integer(5)))).toEqual(new Set([0, 1, 2, 3, 4]));
    expect(draw(3, () => random.integer(1))).toEqual([0, 0, 0]);
  });

  it.each([1, 3, 49_000, 3 * 2 ** 30, 2 ** 31 + 1, 2 ** 32 - 1, 2 ** 32])(
    'draws integers below %i as remainders of the numbers below the last multiple',
    (limit) => {
      const [raw, random] = [new Random(1, 'limit', limit), new Random(1, 'limit', limit)];
      const whole = 2n ** 32n - (2n ** 32n % BigInt(limit));
      const accepted = draw(1000, () => BigInt(raw.uint32())).filter((x) => x < whole);
      expect(accepted.length).toBeGreaterThan(400);
      expect(draw(accepted.length, () => random.integer(limit))).toEqual(
        accepted.map((x) => Number(x % BigInt(limit))),
      );
    },
  );

  it('draws normal numbers with the right moments', () => {
    const random = new Random(1, 'normal');
    const values = draw(40000, () => random.normal());
    const moment = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / values.length;
    // Five standard errors each: √(1, 2, 15, 96) / 200.
    expect(Math.abs(moment(1))).toBeLessThan(0.025);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.036);
    expect(Math.abs(moment(3))).toBeLessThan(0.097);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.245);
    const products = values.slice(1).map((value, i) => value * values[i]);
    expect(Math.abs(products.reduce((sum, product) => sum + product, 0) / products.length)).toBeLessThan(0.025);
  });

  it('shuffles into every order equally often', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 12000; i++) {
      const order = new Random(i, 'shuffle').shuffle(Uint32Array.of(0, 1, 2)).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0);
    // χ² with 5 degrees of freedom exceeds 27 with probability 5e-5.
    expect(chiSquared).toBeLessThan(27);
  });
});
