/** An image of any size, upright and opaque. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3] bytes: red, green and blue of each pixel, row by row. */
  readonly rgb: Uint8Array;
}

/** Larger pictures are refused before memory is allocated: a file of a few kilobytes can claim any size. */
export const MAX_PIXELS = 100e6;

/** Reason why a picture cannot be decoded. The message completes a sentence that begins with the file's name. */
export class PictureError extends Error {
  override readonly name = 'PictureError';
}

/** @throws PictureError if a picture has no pixels or more than MAX_PIXELS. */
export function checkDimensions(width: number, height: number): void {
  if (width * height === 0) throw damaged(`its header says ${width}×${height} pixels`);
  if (width * height > MAX_PIXELS) {
    throw new PictureError(`has ${width}×${height} pixels, wanted at most ${MAX_PIXELS / 1e6} million; scale it down`);
  }
}

export function damaged(how: string): PictureError {
  return new PictureError(`is damaged: ${how}; get an intact copy`);
}
