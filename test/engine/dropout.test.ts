import { describe, expect, it } from 'vitest';
import { dropout } from '../../src/engine/gates/dropout.ts';
import { float64Graph } from '../support/graphs.ts';

describe('dropout', () => {
  async function dropped(passes: { training: boolean; key: number }[]) {
    const graph = float64Graph();
    const x = graph.parameter('x', [100, 100]);
    graph.backend.write(x.tensor, new Float64Array(10000).fill(1));
    const y = graph.apply(dropout(0.3), { x });
    const z = graph.apply(dropout(0.3), { x });
    const results: { y: ArrayLike<number>; z: ArrayLike<number> }[] = [];
    for (const pass of passes) {
      graph.forward(pass);
      results.push({ y: await graph.backend.read(y.tensor), z: await graph.backend.read(z.tensor) });
    }
    return results;
  }

  it('drops the given fraction, scales the rest, and does nothing outside training', async () => {
    const [{ y }, evaluated] = await dropped([
      { training: true, key: 1 },
      { training: false, key: 1 },
    ]);
    const zeros = Array.from(y).filter((value) => value === 0).length;
    // Five standard deviations of a binomial of 10,000 draws.
    expect(Math.abs(zeros - 3000)).toBeLessThan(5 * Math.sqrt(10000 * 0.3 * 0.7));
    expect(new Set(Array.from(y))).toEqual(new Set([0, 1 / 0.7]));
    expect(new Set(Array.from(evaluated.y))).toEqual(new Set([1]));
  });

  it('draws the same mask for the same gate and key, and different masks otherwise', async () => {
    const [first, again, other] = await dropped([1, 1, 2].map((key) => ({ training: true, key })));
    const agreement = (a: ArrayLike<number>, b: ArrayLike<number>) =>
      Array.from(a).filter((value, i) => value === b[i]).length / a.length;
    expect(first).toEqual(again);
    // Independent masks agree where both keep or both drop an element: 0.7² + 0.3² = 0.58.
    expect(agreement(first.y, other.y)).toBeCloseTo(0.58, 1);
    expect(agreement(first.y, first.z)).toBeCloseTo(0.58, 1);
  });
});
