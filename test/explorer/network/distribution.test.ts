import { expect, it } from 'vitest';
import { distributionOf } from '../../../src/explorer/network/distribution.ts';
import { normals } from '../../support/graphs.ts';

it('counts all numbers but zeros and the outermost in equal bins with 0 at a border', () => {
  const values = Float64Array.from([...normals(20_000, 'values'), ...Array(5_000).fill(0), 50, -40]);
  const { min, max, mean, zeroShare, from, to, counts, outsideShare } = distributionOf(values);
  expect([min, max]).toEqual([-40, 50]);
  expect(mean).toBeCloseTo(values.reduce((sum, value) => sum + value) / values.length, 12);
  expect(zeroShare).toBe(5_000 / values.length);
  const width = (to - from) / counts.length;
  expect(-from / width).toBeCloseTo(Math.round(-from / width), 9);
  const inBin = (bin: number) =>
    values.filter((value) => value !== 0 && value >= from + bin * width && value < from + (bin + 1) * width).length;
  for (const [bin, count] of counts.entries())
    expect(Math.abs(count - inBin(bin)), `bin ${bin}`).toBeLessThanOrEqual(1);
  const all = counts.reduce((sum, count) => sum + count);
  expect(all + Math.round((outsideShare + zeroShare) * values.length)).toBe(values.length);
  expect(outsideShare).toBeGreaterThan(0);
  expect(outsideShare).toBeLessThan(0.01);
});

it('has no bins for a tensor of zeros, and all numbers of a constant in one', () => {
  expect(distributionOf(new Float32Array(4))).toMatchObject({
    min: 0,
    max: 0,
    zeroShare: 1,
    counts: [],
    outsideShare: 0,
  });
  const { from, to, counts } = distributionOf(new Float32Array(7).fill(-2));
  expect([from, to]).toEqual([-2, 0]);
  expect(counts.filter((count) => count > 0)).toEqual([7]);
});

it('finds the range of a large tensor from a sample of it', () => {
  const { from, to, counts, outsideShare } = distributionOf(Float32Array.from(normals(300_000, 'large')));
  // 99 % of normal numbers lie within 2.576.
  expect(-from).toBeGreaterThan(2.45);
  expect(to).toBeGreaterThan(2.45);
  expect(to - from).toBeLessThan(5.6);
  expect(counts.reduce((sum, count) => sum + count)).toBe(Math.round(300_000 * (1 - outsideShare)));
});
