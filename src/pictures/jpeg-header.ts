import exif from 'exif-reader';
import { checkDimensions, damaged, PictureError } from './picture.ts';

// A JPEG file is a sequence of segments: 0xFF, a marker, a length and data. Source: ITU-T T.81, annex B.

export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** Whether the three components are Y, Cb and Cr rather than red, green and blue. */
  readonly isYCbCr: boolean;
  /** EXIF orientation, 1 (upright) to 8. Source: CIPA DC-008 (Exif), tag Orientation. */
  readonly orientation: number;
}

const MARKER = { startOfScan: 0xda, endOfImage: 0xd9, app1: 0xe1, app14: 0xee } as const;
/** Baseline, extended and progressive with Huffman coding: the frames that the decoder supports. */
const SUPPORTED_FRAMES = [0xc0, 0xc1, 0xc2];
/** Markers from 0xC0 to 0xCF that do not start a frame. */
const NOT_FRAMES = [0xc4, 0xc8, 0xcc];

/** Reads the segments before the pixels. @throws PictureError if they are damaged, or the picture is too large or of an
 *  unsupported kind. */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let frame: { width: number; height: number; components: string } | undefined;
  let [adobeTransform, orientation]: [number | undefined, number] = [undefined, 1];
  for (const { marker, data } of segments(file)) {
    if (marker >= 0xc0 && marker <= 0xcf && !NOT_FRAMES.includes(marker)) frame = readFrame(marker, data);
    if (marker === MARKER.app14 && data.toString('latin1', 0, 5) === 'Adobe') adobeTransform = data[11];
    if (marker === MARKER.app1 && data.toString('latin1', 0, 6) === 'Exif\0\0') orientation = orientationOf(data);
  }
  if (!frame) throw damaged('no segment gives its size');
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
    if (file[at] !== 0xff) throw damaged(`byte ${at} is ${file[at]}, wanted 255, the start of a segment`);
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
  if (data.length < 6) throw damaged('the segment that gives its size is too short');
  const [precision, count] = [data[0], data[5]];
  if (!SUPPORTED_FRAMES.includes(marker) || precision !== 8) {
    const process = `SOF${marker - 0xc0}, ${precision} bits`;
    throw new PictureError(
      `is an unsupported kind of JPEG (${process}); save it as a baseline or progressive JPEG, or as PNG`,
    );
  }
  const [width, height] = [data.readUInt16BE(3), data.readUInt16BE(1)];
  checkDimensions(width, height);
  const components = String.fromCharCode(...Array.from({ length: count }, (_, i) => data[6 + 3 * i]));
  return { width, height, components };
}

/** Orientation in an EXIF segment; 1 if the segment is unreadable, because the pixels are intact all the same. */
function orientationOf(segment: Buffer): number {
  try {
    const orientation = exif(segment).Image?.Orientation ?? 1;
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
  } catch {
    return 1;
  }
}
