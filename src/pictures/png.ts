import { PNG } from 'pngjs';
import { checkDimensions, damaged, type Picture } from './picture.ts';

/** Where the header of a PNG says how wide it is; four bytes on, how high. */
const WIDTH_AT = 16;

/** Decodes a PNG of any kind. What is transparent is laid on white.
 *  @throws PictureError if it is damaged or too large. */
export function decodePng(bytes: Uint8Array): Picture & { readonly wasTransparent: boolean } {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (file.length >= WIDTH_AT + 8) checkDimensions(file.readUInt32BE(WIDTH_AT), file.readUInt32BE(WIDTH_AT + 4));
  const { width, height, data } = unpack(file);
  const rgb = new Uint8Array(3 * width * height);
  let wasTransparent = false;
  for (let i = 0; i < width * height; i++) {
    const alpha = data[4 * i + 3];
    if (alpha < 255) wasTransparent = true;
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = Math.round(255 - (alpha / 255) * (255 - data[4 * i + c]));
  }
  return { width, height, rgb, wasTransparent };
}

/** Red, green, blue and alpha of each pixel. */
function unpack(file: Buffer): PNG {
  try {
    return PNG.sync.read(file);
  } catch (error) {
    const isWhole = file.includes('IEND', 0, 'latin1');
    throw damaged(isWhole ? (error as Error).message : `it ends after ${file.length} bytes, in the middle`);
  }
}
