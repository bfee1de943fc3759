import { PNG } from 'pngjs';
import { checkDimensions, damaged, type Picture } from './picture.ts';

/** Offset of the width in a PNG file; the height follows, four bytes later. */
const WIDTH_OFFSET = 16;

/** Decodes a PNG of any kind, composited on white where it is transparent.
 *  @throws PictureError if it is damaged or too large. */
export function decodePng(bytes: Uint8Array): Picture & { readonly wasTransparent: boolean } {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (file.length >= WIDTH_OFFSET + 8) {
    checkDimensions(file.readUInt32BE(WIDTH_OFFSET), file.readUInt32BE(WIDTH_OFFSET + 4));
  }
  const { width, height, data } = decodeRgba(file);
  const rgb = new Uint8Array(3 * width * height);
  let wasTransparent = false;
  for (let i = 0; i < width * height; i++) {
    const alpha = data[4 * i + 3];
    if (alpha < 255) wasTransparent = true;
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = Math.round(255 - (alpha / 255) * (255 - data[4 * i + c]));
  }
  return { width, height, rgb, wasTransparent };
}

/** Decodes red, green, blue and alpha of each pixel. */
function decodeRgba(file: Buffer): PNG {
  try {
    return PNG.sync.read(file);
  } catch (error) {
    const isWhole = file.includes('IEND', 0, 'latin1');
    throw damaged(isWhole ? (error as Error).message : `it is truncated after ${file.length} bytes`);
  }
}
