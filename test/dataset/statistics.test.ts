import { expect, it } from 'vitest';
import { classCounts, imageStatistics } from '../../src/dataset/statistics.ts';
import { randomImageSet } from '../support/images.ts';

it('agrees with a direct computation of mean and deviation of each channel', () => {
  const set = randomImageSet(23, 'statistics');
  // Each channel has a range of its own, so that mixing them up would show.
  for (let i = 0; i < set.images.length; i++) set.images[i] = set.images[i] >> (1 + (Math.floor(i / 1024) % 3));
  const { images, perClass, channels } = imageStatistics(set, 10);
  expect([images, perClass]).toEqual([23, [3, 3, 3, 2, 2, 2, 2, 2, 2, 2]]);
  expect(channels.map(({ channel }) => channel)).toEqual(['red', 'green', 'blue']);
  for (const [c, { bytes, scaled }] of channels.entries()) {
    const pixels = [...set.images].filter((_, i) => Math.floor(i / 1024) % 3 === c);
    for (const [of, found] of [
      [pixels, bytes],
      [pixels.map((p) => (p - 128) / 64), scaled],
    ] as const) {
      const mean = of.reduce((sum, x) => sum + x, 0) / of.length;
      const variance = of.reduce((sum, x) => sum + (x - mean) ** 2, 0) / of.length;
      expect(found.mean).toBeCloseTo(mean, 10);
      expect(found.deviation).toBeCloseTo(Math.sqrt(variance), 10);
    }
  }
});

it('counts labels per class and ignores those out of range', () => {
  expect(classCounts(Uint8Array.from([0, 2, 2, 7, 3]), 4)).toEqual([1, 0, 2, 1]);
});
