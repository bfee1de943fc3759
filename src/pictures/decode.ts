import { DataError } from '../errors.ts';
import { decodeJpeg } from './jpeg.ts';
import { type Picture, PictureError } from './picture.ts';
import { decodePng } from './png.ts';

/** A picture read from a PNG or a JPEG: upright, on white where it was transparent. */
export interface DecodedPicture extends Picture {
  /** Changes made while decoding, such as 'turned upright'. */
  readonly preprocessing: readonly string[];
}

/** Decodes a PNG or a JPEG. The format is recognised by the first bytes, not by the name.
 *  @param name of the file, for error messages.
 *  @throws DataError if it is neither, damaged, truncated or larger than MAX_PIXELS, 100 million pixels. */
export function decodePicture(bytes: Uint8Array, name: string): DecodedPicture {
  try {
    const kind = recognise(bytes);
    if (kind === 'PNG') {
      const { wasTransparent, ...picture } = decodePng(bytes);
      return { ...picture, preprocessing: wasTransparent ? ['composited on white'] : [] };
    }
    if (kind === 'JPEG') {
      const { wasTurned, ...picture } = decodeJpeg(bytes);
      return { ...picture, preprocessing: wasTurned ? ['turned upright'] : [] };
    }
    throw new PictureError(`${kind}; wanted a PNG or a JPEG`);
  } catch (error) {
    if (error instanceof PictureError) throw new DataError(`${name} ${error.message}`, { cause: error });
    throw error;
  }
}

/** Signatures of other formats, with their byte offsets. */
const OTHER_FORMATS: readonly (readonly [signature: string, offset: number, description: string])[] = [
  ['GIF8', 0, 'is a GIF'],
  ['WEBP', 8, 'is a WebP file'],
  ['BM', 0, 'is a BMP file'],
  ['II*\0', 0, 'is a TIFF file'],
  ['MM\0*', 0, 'is a TIFF file'],
  ['ftypavif', 4, 'is an AVIF file'],
  ['ftyphei', 4, 'is a HEIC file'],
  ['ftypmif1', 4, 'is a HEIC file'],
  ['ftyp', 4, 'is a video'],
  ['\xff\x0a', 0, 'is a JPEG XL file'],
  ['%PDF', 0, 'is a PDF'],
  ['PK\x03\x04', 0, 'is a ZIP archive'],
  ['\x1f\x8b', 0, 'is a gzip file'],
];

/** 'PNG', 'JPEG', or a description of another format that completes a sentence, such as 'is a GIF'. */
function recognise(bytes: Uint8Array): string {
  const start = Buffer.from(bytes.subarray(0, 512)).toString('latin1');
  if (start.startsWith('\x89PNG')) return 'PNG';
  if (start.startsWith('\xff\xd8')) return 'JPEG';
  if (start === '') return 'is empty';
  const other = OTHER_FORMATS.find(([signature, offset]) => start.startsWith(signature, offset));
  if (other) return other[2];
  if (/^\s*<(\?xml|!--|svg)/.test(start) && start.includes('<svg')) return 'is an SVG';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters distinguish binary data from text.
  if (!/[\0-\x08\x0e-\x1a\x1c-\x1f]/.test(start)) return 'looks like text';
  const first = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0'));
  return `has an unknown format: it begins with the bytes ${first.join(' ')}`;
}
