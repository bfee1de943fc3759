import { describe, expect, it } from 'vitest';
import { StepThinner } from '../../src/report/series.ts';

const loss = (step: number) => Math.sin(step) + 2;

function thinned(count: number) {
  const thinner = new StepThinner();
  for (let step = 1; step <= count; step++) {
    thinner.add({ step, loss: loss(step), accuracy: 1 / step, learningRate: step });
  }
  return thinner.series;
}

describe('StepThinner', () => {
  it.each([0, 1, 999, 1000, 1001, 1999, 2000, 2001, 12_345, 100_000])(
    'draws %i steps with 1000 points at most, each a mean',
    (count) => {
      const { step, ...series } = thinned(count);
      expect(step.length).toBeLessThanOrEqual(1000);
      expect(step.length).toBeGreaterThanOrEqual(Math.min(count, 500));
      expect(step.at(-1) ?? 0).toBe(count);
      const groups = step.map((last, i) => {
        const first = (step[i - 1] ?? 0) + 1;
        return Array.from({ length: last - first + 1 }, (_, j) => first + j);
      });
      // All of one size, but for the last one.
      expect(new Set(groups.slice(0, -1).map((group) => group.length)).size).toBeLessThanOrEqual(1);
      const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
      for (const [i, group] of groups.entries()) {
        expect(series.loss[i] / mean(group.map(loss))).toBeCloseTo(1, 5);
        expect(series.accuracy[i] / mean(group.map((step) => 1 / step))).toBeCloseTo(1, 5);
        expect(series.learningRate[i] / mean(group)).toBeCloseTo(1, 5);
      }
    },
  );

  it('keeps the ratios of the steps that have some, a series for each parameter', () => {
    const thinner = new StepThinner();
    const step = (step: number) => ({ step, loss: 1, accuracy: 0, learningRate: 1 });
    thinner.add(step(1));
    thinner.add({ ...step(2), updateRatios: { a: 0.1, b: 0.2 } });
    // One that was no finite number is not there.
    thinner.add({ ...step(3), updateRatios: { b: 0.3 } });
    expect(thinner.updateRatios).toEqual([
      { parameter: 'a', step: [2], ratio: [0.1] },
      { parameter: 'b', step: [2, 3], ratio: [0.2, 0.3] },
    ]);
  });
});
