import { encodePng } from '../pictures/encode.ts';

/** A picture of the size of CIFAR-10's as a data: address. @param pixels [32, 32, 3] bytes. */
export function pngAddress(pixels: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(encodePng(pixels, 32, 32)).toString('base64')}`;
}
