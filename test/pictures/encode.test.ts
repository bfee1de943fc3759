import { expect, it } from 'vitest';
import { decodePicture } from '../../src/pictures/decode.ts';
import { encodePng } from '../../src/pictures/encode.ts';
import { contactSheet } from '../../src/pictures/sheet.ts';
import { cifarPixels, templatePixels } from '../../src/pictures/template.ts';

it('draws weights around mid-grey, with a scale of its own for each unit', () => {
  const weights = new Float32Array(3072);
  weights[0] = 0.02; // red of the first pixel
  weights[1024 + 1] = -0.01; // green of the second
  weights[2048 + 1023] = -0.02; // blue of the last
  const rgb = templatePixels(weights);
  expect([...rgb.subarray(0, 7)]).toEqual([255, 128, 128, 128, 65, 128, 128]);
  expect([...rgb.subarray(-3)]).toEqual([128, 128, 1]);
  expect(new Set(templatePixels(new Float32Array(3072)))).toEqual(new Set([128]));

  const withExtremes = Float32Array.from({ length: 3072 }, (_, i) => (i < 30 ? 1000 : i % 2 ? 1 : -0.5));
  expect(new Set(templatePixels(withExtremes))).toEqual(new Set([255, 65]));
});

it('places tiles in rows, enlarges each pixel to a square, and encodes the sheet as PNG', () => {
  const tiles = [1, 2, 3].map((n) => cifarPixels(Uint8Array.from({ length: 3072 }, (_, i) => (i * n) & 127)));
  const sheet = contactSheet(tiles, { columns: 2, scale: 3, gap: 5 });
  const { width, height, rgb } = decodePicture(encodePng(sheet.rgb, sheet.width, sheet.height), 'sheet.png');
  expect([width, height]).toEqual([2 * 96 + 3 * 5, 2 * 96 + 3 * 5]);
  const at = (x: number, y: number) => [...rgb.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)];
  for (const [i, tile] of tiles.entries()) {
    const [left, top] = [5 + (i % 2) * 101, 5 + (i >> 1) * 101];
    for (const [x, y] of [
      [0, 0],
      [31, 31],
      [7, 20],
    ]) {
      const pixel = [...tile.subarray(3 * (32 * y + x), 3 * (32 * y + x) + 3)];
      expect(at(left + 3 * x, top + 3 * y)).toEqual(pixel);
      expect(at(left + 3 * x + 2, top + 3 * y + 2)).toEqual(pixel);
    }
  }
  // A gap, and the position of the missing fourth tile.
  expect(at(0, 0)).toEqual(at(101 + 40, 101 + 40));
});
