import exif from 'exif-reader';
import { checkDimensions, damaged, PictureError } from './picture.ts';

// A JPEG file is a row of segments: 0xFF, a marker, a length and data. Source: ITU-T T.81, annex B.

export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** Whether three components are Y, Cb, Cr, and not red, green, blue. */
  readonly isYCbCr: boolean;
  /** How the camera was held, 1 (upright) to 8. Source: CIPA DC-008 (Exif), tag Orientation. */
  readonly orientation: number;
}

const MARKER = { startOfScan: 0xda, endOfImage: 0xd9, app1: 0xe1, app14: 0xee } as const;
/** Baseline, extended and progressive, with Huffman codes: what the decoder knows. */
const KNOWN_FRAMES = [0xc0, 0xc1, 0xc2];
/** Markers from 0xC0 to 0xCF that do not begin a frame. */
const NO_FRAMES = [0xc4, 0xc8, 0xcc];

/** Reads what comes before the pixels. @throws PictureError if it is damaged, too large or of an unknown kind. */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let frame: { width: number; height: number; components: string } | undefined;
  let [adobeTransform, orientation]: [number | undefined, number] = [undefined, 1];
  for (const { marker, data } of segments(file)) {
    if (marker >= 0xc0 && marker <= 0xcf && !NO_FRAMES.includes(marker)) frame = readFrame(marker, data);
    if (marker === MARKER.app14 && data.toString('latin1', 0, 5) === 'Adobe') adobeTransform = data[11];
    if (marker === MARKER.app1 && data.toString('latin1', 0, 6) === 'Exif\0\0') orientation = orientationOf(data);
  }
  if (!frame) throw damaged('it has pixels but no size');
  const { width, height, components } = frame;
  return {
    width,
    height,
    isYCbCr: adobeTransform === undefined ? components !== 'RGB' : adobeTransform !== 0,
    orientation,
  };
}

function* segments(file: Buffer): Generator<{ marker: number; data: Buffer }> {
  for (let at = 2; at + 4 <= file.length; ) {
    const marker = file[at + 1];
    if (file[at] !== 0xff) throw damaged(`byte ${at} is ${file[at]}, wanted 255, where a segment begins`);
    if (marker === 0xff) {
      at++; // a fill byte
      continue;
    }
    if (marker === MARKER.startOfScan || marker === MARKER.endOfImage) return;
    const end = at + 2 + file.readUInt16BE(at + 2);
    if (end > file.length) break;
    yield { marker, data: file.subarray(at + 4, end) };
    at = end;
  }
  throw damaged(`it ends after ${file.length} bytes, before its pixels`);
}

function readFrame(marker: number, data: Buffer): { width: number; height: number; components: string } {
  if (data.length < 6) throw damaged('the segment with its size is too short');
  const [precision, count] = [data[0], data[5]];
  if (!KNOWN_FRAMES.includes(marker) || precision !== 8) {
    const process = `SOF${marker - 0xc0}, ${precision} bits`;
    throw new PictureError(
      `is a JPEG of a rare kind (${process}); save it as a baseline or progressive JPEG, or as PNG`,
    );
  }
  const [width, height] = [data.readUInt16BE(3), data.readUInt16BE(1)];
  checkDimensions(width, height);
  const components = String.fromCharCode(...Array.from({ length: count }, (_, i) => data[6 + 3 * i]));
  return { width, height, components };
}

/** 1 where the camera says nothing that can be understood: that does not spoil the pixels. */
function orientationOf(segment: Buffer): number {
  try {
    const orientation = exif(segment).Image?.Orientation ?? 1;
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
  } catch {
    return 1;
  }
}
