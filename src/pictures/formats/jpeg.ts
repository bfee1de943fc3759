import { decode } from 'jpeg-js';
import { damaged, MAX_PIXELS, type Picture } from '../picture.ts';
import { readJpegHeader } from './jpeg-header.ts';

/** Decodes a JPEG, baseline or progressive, grey, colour or CMYK, and turns it upright according to its EXIF data.
 *  @throws PictureError if it is damaged, truncated or too large. */
export function decodeJpeg(bytes: Uint8Array): Picture & { readonly wasTurned: boolean } {
  const { isYCbCr, orientation } = readJpegHeader(bytes);
  const options = {
    useTArray: true,
    formatAsRGBA: false,
    maxResolutionInMP: MAX_PIXELS / 1e6,
    maxMemoryUsageInMB: 4096,
    // Only lets a restart interval extend past the last block, which the standard allows. A truncated file is still an
    // error.
    tolerantDecoding: true,
    colorTransform: isYCbCr,
  } as const;
  try {
    const { width, height, data } = decode(bytes, options);
    return { ...turn({ width, height, rgb: data }, orientation), wasTurned: orientation !== 1 };
  } catch (error) {
    // A TypeError or RangeError is about the library's own variables.
    const isTelling = !(error instanceof TypeError || error instanceof RangeError);
    throw damaged(`its pixels cannot be decoded${isTelling ? ` (${(error as Error).message})` : ''}`);
  }
}

/** Turns a picture with this EXIF orientation upright. */
function turn({ width, height, rgb }: Picture, orientation: number): Picture {
  if (orientation === 1) return { width, height, rgb };
  const isSideways = orientation >= 5;
  const [flipX, flipY] = [[2, 3, 7, 8].includes(orientation), [3, 4, 6, 7].includes(orientation)];
  const turned = new Uint8Array(rgb.length);
  for (let y = 0, from = 0; y < height; y++) {
    for (let x = 0; x < width; x++, from += 3) {
      const [u, v] = [flipX ? width - 1 - x : x, flipY ? height - 1 - y : y];
      const to = 3 * (isSideways ? u * height + v : v * width + u);
      for (let c = 0; c < 3; c++) turned[to + c] = rgb[from + c];
    }
  }
  return isSideways ? { width: height, height: width, rgb: turned } : { width, height, rgb: turned };
}
