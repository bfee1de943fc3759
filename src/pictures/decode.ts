import { DataError } from '../errors.ts';
import { decodeJpeg } from './formats/jpeg.ts';
import { decodePng } from './formats/png.ts';
import { recognise } from './formats/recognise.ts';
import { type Picture, PictureError } from './picture.ts';

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
    switch (recognise(bytes)) {
      case 'PNG': {
        const { wasTransparent, ...picture } = decodePng(bytes);
        return { ...picture, preprocessing: wasTransparent ? ['composited on white'] : [] };
      }
      case 'JPEG': {
        const { wasTurned, ...picture } = decodeJpeg(bytes);
        return { ...picture, preprocessing: wasTurned ? ['turned upright'] : [] };
      }
    }
  } catch (error) {
    if (error instanceof PictureError) throw new DataError(`${name} ${error.message}`, { cause: error });
    throw error;
  }
}
