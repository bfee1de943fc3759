import { PNG } from 'pngjs';

/** A PNG file. The same pixels give the same bytes.
 *  @param rgb [height, width, 3] bytes: red, green, blue of each pixel, row by row. */
export function encodePng(rgb: Uint8Array, width: number, height: number): Uint8Array {
  const picture = Object.assign(new PNG({ width, height }), { data: Buffer.from(rgb) });
  return PNG.sync.write(picture, { inputColorType: 2, inputHasAlpha: false, colorType: 2, deflateLevel: 9 });
}
