import { expect, it } from 'vitest';
import { base64, bytesOf, decodePixels, encodePixels } from '../../../src/explorer/network/pixel-map.ts';
import { normals } from '../../support/graphs.ts';

it('keeps the numbers of a square to 16 bits, and its place', () => {
  const values = normals(3 * 8 * 8, 'pixels');
  const map = encodePixels(values, { size: 8, x: 4, y: 12 });
  expect(map).toMatchObject({ size: 8, x: 4, y: 12 });
  const largest = Math.max(...values.map(Math.abs));
  const error = decodePixels(map).map((value, i) => Math.abs(value - values[i]));
  expect(Math.max(...error)).toBeLessThanOrEqual(largest / 65_533);
  expect(decodePixels(encodePixels(new Float32Array(3072)))).toEqual(new Float64Array(3072));
});

it('writes bytes in base64', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  expect(base64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
  expect(bytesOf(base64(bytes))).toEqual(bytes);
});
