import { PNG } from 'pngjs';
import { IMAGE_SIDE } from '../images.ts';

/** Encodes a PNG file. Equal pixels give equal bytes.
 *  @param rgb [height, width, 3] bytes: red, green and blue of each pixel, row by row. */
export function encodePng(rgb: Uint8Array, width: number, height: number): Uint8Array {
  const picture = Object.assign(new PNG({ width, height }), { data: Buffer.from(rgb) });
  return PNG.sync.write(picture, { inputColorType: 2, inputHasAlpha: false, colorType: 2, deflateLevel: 9 });
}

/** Encodes a CIFAR-10-sized image as a `data:` URL of a PNG. @param pixels [32, 32, 3] bytes. */
export function pngDataUrl(pixels: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(encodePng(pixels, IMAGE_SIDE, IMAGE_SIDE)).toString('base64')}`;
}
