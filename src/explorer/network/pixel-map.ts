import { IMAGE_SIDE } from '../../images.ts';
import type { PixelMap } from './network-data.ts';

const MAX = 32767;

/** Rounds the numbers of a square of pixels to 16 bits. @param values [3 size²], by plane, row and column. */
export function encodePixels(
  values: ArrayLike<number>,
  { size, x, y }: Pick<PixelMap, 'size' | 'x' | 'y'> = { size: IMAGE_SIDE, x: 0, y: 0 },
): PixelMap {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  const scale = largest / MAX;
  const rounded = Int16Array.from(values, (value) => (scale === 0 ? 0 : Math.round(value / scale)));
  return { size, x, y, scale, data: base64(new Uint8Array(rounded.buffer)) };
}

/** The numbers of a square of pixels. */
export function decodePixels({ scale, data }: PixelMap): Float64Array {
  return Float64Array.from(new Int16Array(bytesOf(data).buffer), (value) => scale * value);
}

export function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
