import { PNG } from 'pngjs';
import { damaged, type Picture } from '../picture.ts';
import { checkPngData } from './png-data.ts';

/** Decodes a PNG of any kind, composited on white where it is transparent.
 *  @throws PictureError if it is damaged, incomplete or too large. */
export function decodePng(bytes: Uint8Array): Picture & { readonly wasTransparent: boolean } {
  const file = checkPngData(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  const { width, height, data } = decodeRgba(file);
  const rgb = new Uint8Array(3 * width * height);
  let wasTransparent = false;
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    const alpha = data[from + 3];
    if (alpha === 255) {
      rgb[to] = data[from];
      rgb[to + 1] = data[from + 1];
      rgb[to + 2] = data[from + 2];
      continue;
    }
    wasTransparent = true;
    for (let c = 0; c < 3; c++) rgb[to + c] = Math.round(255 - (alpha / 255) * (255 - data[from + c]));
  }
  return { width, height, rgb, wasTransparent };
}

/** Decodes red, green, blue and alpha of each pixel. */
function decodeRgba(file: Buffer): PNG {
  try {
    return PNG.sync.read(file);
  } catch (error) {
    throw damaged((error as Error).message);
  }
}
