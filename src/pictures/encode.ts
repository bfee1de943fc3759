import { PNG } from 'pngjs';

/** A PNG file. The same pixels give the same bytes.
 *  @param rgb [height, width, 3] bytes: red, green, blue of each pixel, row by row. */
export function encodePng(rgb: Uint8Array, width: number, height: number): Uint8Array {
  const picture = Object.assign(new PNG({ width, height }), { data: Buffer.from(rgb) });
  return PNG.sync.write(picture, { inputColorType: 2, inputHasAlpha: false, colorType: 2, deflateLevel: 9 });
}

/** A picture of the size of CIFAR-10's as a data: address. @param pixels [32, 32, 3] bytes. */
export function pngAddress(pixels: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(encodePng(pixels, 32, 32)).toString('base64')}`;
}
