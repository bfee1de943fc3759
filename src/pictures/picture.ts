/** An image of any size, upright and opaque. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3] bytes: red, green, blue of each pixel, row by row. */
  readonly rgb: Uint8Array;
}

/** Larger ones are refused before memory is set aside for them: a file of some kilobytes can claim any size. */
export const MOST_PIXELS = 100e6;

/** Why a file cannot be read, as the rest of a sentence that begins with its name. */
export class PictureError extends Error {
  override readonly name = 'PictureError';
}

/** @throws PictureError for a picture without pixels or with too many. */
export function checkDimensions(width: number, height: number): void {
  if (width * height === 0) throw damaged(`it claims to have ${width}×${height} pixels`);
  if (width * height > MOST_PIXELS) {
    throw new PictureError(`has ${width}×${height} pixels, wanted at most ${MOST_PIXELS / 1e6} million; scale it down`);
  }
}

export function damaged(how: string): PictureError {
  return new PictureError(`is damaged: ${how}; get a whole copy of it`);
}
