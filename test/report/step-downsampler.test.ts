import { describe, expect, it } from 'vitest';
import { StepDownsampler } from '../../src/report/step-downsampler.ts';

const loss = (step: number) => Math.sin(step) + 2;

function downsampled(count: number) {
  const downsampler = new StepDownsampler();
  for (let step = 1; step <= count; step++) {
    downsampler.add({ step, loss: loss(step), accuracy: 1 / step, learningRate: step });
  }
  return downsampler.series;
}

describe('StepDownsampler', () => {
  it.each([0, 1, 999, 1000, 1001, 1999, 2000, 2001, 12_345, 100_000])(
    'reduces %i steps to at most 1000 points, each a mean',
    (count) => {
      const { step, ...series } = downsampled(count);
      expect(step.length).toBeLessThanOrEqual(1000);
      expect(step.length).toBeGreaterThanOrEqual(Math.min(count, 500));
      expect(step.at(-1) ?? 0).toBe(count);
      const groups = step.map((last, i) => {
        const first = (step[i - 1] ?? 0) + 1;
        return Array.from({ length: last - first + 1 }, (_, j) => first + j);
      });
      // All groups have the same size, except the last one.
      expect(new Set(groups.slice(0, -1).map((group) => group.length)).size).toBeLessThanOrEqual(1);
      const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
      for (const [i, group] of groups.entries()) {
        expect(series.loss[i] / mean(group.map(loss))).toBeCloseTo(1, 5);
        expect(series.accuracy[i] / mean(group.map((step) => 1 / step))).toBeCloseTo(1, 5);
        expect(series.learningRate[i] / mean(group)).toBeCloseTo(1, 5);
      }
    },
  );

  it('keeps the update ratios of all steps that have them, as one series per parameter', () => {
    const downsampler = new StepDownsampler();
    const step = (step: number) => ({ step, loss: 1, accuracy: 0, learningRate: 1 });
    downsampler.add(step(1));
    downsampler.add({ ...step(2), updateRatios: { a: 0.1, b: 0.2 } });
    // A ratio that was not finite is missing.
    downsampler.add({ ...step(3), updateRatios: { b: 0.3 } });
    expect(downsampler.updateRatios).toEqual([
      { parameter: 'a', step: [2], ratio: [0.1] },
      { parameter: 'b', step: [2, 3], ratio: [0.2, 0.3] },
    ]);
  });
});
