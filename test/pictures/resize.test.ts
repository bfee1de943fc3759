import { expect, it } from 'vitest';
import { toCifar } from '../../src/pictures/resize.ts';
import { cifarPixels } from '../../src/pictures/template.ts';
import { Random } from '../../src/random.ts';

const random = new Random(1, 'resize');
const picture = (width: number, height: number) => ({
  width,
  height,
  rgb: Uint8Array.from({ length: 3 * width * height }, () => random.integer(256)),
});

/** Red plane of the CIFAR-10 image made from a picture whose red channel is a function of position. */
const reds = (width: number, height: number, red: (x: number, y: number) => number) => {
  const rgb = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) rgb[3 * i] = red(i % width, Math.floor(i / width));
  return toCifar({ width, height, rgb }).row.subarray(0, 1024);
};

it('keeps the bytes of a 32 × 32 picture', () => {
  const same = picture(32, 32);
  const { row, preprocessing } = toCifar(same);
  expect(cifarPixels(row)).toEqual(same.rgb);
  expect(preprocessing).toEqual([]);
});

it('averages over whole and fractional pixels', () => {
  // Enlarging each pixel to 32 × 32 gives a picture that divides into 32 parts without fractions.
  for (const side of [33, 48, 100]) {
    const { rgb } = picture(side, side);
    const { row } = toCifar({ width: side, height: side, rgb });
    for (const i of [0, 31, 500, 1023, 1024 + 77, 2048 + 999]) {
      const [c, y, x] = [i >> 10, (i >> 5) & 31, i & 31];
      let sum = 0;
      for (let v = y * side; v < (y + 1) * side; v++) {
        for (let u = x * side; u < (x + 1) * side; u++) {
          sum += rgb[3 * (Math.floor(v / 32) * side + Math.floor(u / 32)) + c];
        }
      }
      expect(row[i]).toBe(Math.round(sum / side ** 2));
    }
  }
});

it('enlarges a small picture by linear interpolation', () => {
  expect(new Set(reds(1, 1, () => 77))).toEqual(new Set([77]));
  const ramp = reds(16, 16, (x) => 10 * x + 10);
  // The centre of pixel i lies at (i + ½)/2 − ½ of the small picture.
  for (let i = 1; i < 31; i++) expect(Math.abs(ramp[i] - (10 * ((i + 0.5) / 2 - 0.5) + 10))).toBeLessThanOrEqual(0.5);
  expect([ramp[0], ramp[31]]).toEqual([10, 160]);
});

it('crops the centre of a picture that is not square', () => {
  const wide = reds(64 + 33, 64, (x) => (x >= 16 && x < 80 ? 200 : 0));
  expect(new Set(wide)).toEqual(new Set([200]));
  const tall = reds(64, 64 + 33, (_, y) => (y >= 16 && y < 80 ? 200 : 0));
  expect(new Set(tall)).toEqual(new Set([200]));
  const { preprocessing } = toCifar(picture(97, 64));
  expect(preprocessing).toEqual(['centre-cropped to 64×64', 'scaled to 32×32']);
});
