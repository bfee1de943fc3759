import { describe, expect, it } from 'vitest';
import { learningRateAt, type ScheduleConfig } from '../../src/optim/schedule.ts';

const rates = (config: ScheduleConfig, steps: number) =>
  Array.from({ length: steps }, (_, step) => learningRateAt(step, steps, config));
const close = (values: number[]) => values.map((value) => expect.closeTo(value, 6));

describe('learningRateAt', () => {
  it('follows its formulas', () => {
    expect(rates({ lr: 2, schedule: 'constant', warmup: 0 }, 4)).toEqual([2, 2, 2, 2]);
    expect(rates({ lr: 2, schedule: 'linear', warmup: 0 }, 4)).toEqual([2, 1.5, 1, 0.5]);
    expect(rates({ lr: 2, schedule: 'step', warmup: 0 }, 8)).toEqual(close([2, 2, 2, 2, 0.2, 0.2, 0.02, 0.02]));
    const half = Math.SQRT1_2;
    expect(rates({ lr: 2, schedule: 'cosine', warmup: 0 }, 4)).toEqual(close([2, 1 + half, 1, 1 - half]));
  });

  it('rises linearly to the peak during the warm-up, and declines from there', () => {
    expect(rates({ lr: 2, schedule: 'linear', warmup: 0.5 }, 8)).toEqual(close([0.5, 1, 1.5, 2, 2, 1.5, 1, 0.5]));
    expect(rates({ lr: 1, schedule: 'constant', warmup: 0.25 }, 10)).toEqual(close([0.4, 0.8, 1, 1, 1, 1, 1, 1, 1, 1]));
  });

  it.each(['constant', 'step', 'linear', 'cosine'] as const)('%s stays within (0, peak], in float32', (schedule) => {
    for (const warmup of [0, 0.1, 0.37, 0.99]) {
      for (const rate of rates({ lr: 0.3, schedule, warmup }, 101)) {
        expect(rate).toBeGreaterThan(0);
        expect(rate).toBeLessThanOrEqual(Math.fround(0.3));
        expect(rate).toBe(Math.fround(rate));
      }
    }
  });
});
