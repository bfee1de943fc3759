import exif from 'exif-reader';
import { checkDimensions, damaged, PictureError } from '../picture.ts';
import { type Frame, Scans } from './jpeg-scans.ts';
import { MARKER, segments } from './jpeg-segments.ts';

export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** Whether the three components are Y, Cb and Cr rather than red, green and blue. */
  readonly isYCbCr: boolean;
  /** EXIF orientation, 1 (upright) to 8. Source: CIPA DC-008 (Exif), tag Orientation. */
  readonly orientation: number;
}

/** Baseline, extended and progressive with Huffman coding: the frames that the decoder supports. */
const SUPPORTED_FRAMES = [0xc0, 0xc1, 0xc2];
const PROGRESSIVE_FRAME = 0xc2;
/** Markers from 0xC0 to 0xCF that do not start a frame. */
const NOT_FRAMES = [0xc4, 0xc8, 0xcc];

/** Reads the segments of a file.
 *  @throws PictureError if the file is damaged or incomplete, or the picture is too large or of an unsupported kind. */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  let frame: Frame | undefined;
  let scans: Scans | undefined;
  let restartInterval = 0;
  let [adobeTransform, orientation]: [number | undefined, number] = [undefined, 1];
  for (const { marker, data, restarts } of segments(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))) {
    if (marker >= 0xc0 && marker <= 0xcf && !NOT_FRAMES.includes(marker)) {
      frame = readFrame(marker, data);
      scans = new Scans(frame);
    }
    if (marker === MARKER.restartInterval && data.length === 2) restartInterval = data.readUInt16BE();
    if (marker === MARKER.startOfScan) scans?.add(data, restartInterval, restarts);
    if (marker === MARKER.app14 && data.toString('latin1', 0, 5) === 'Adobe') adobeTransform = data[11];
    if (marker === MARKER.app1 && data.toString('latin1', 0, 6) === 'Exif\0\0') orientation = orientationOf(data);
  }
  if (!frame) throw damaged('no segment gives its size');
  scans!.checkComplete();
  const { width, height, components } = frame;
  const ids = String.fromCharCode(...components.map(({ id }) => id));
  return {
    width,
    height,
    isYCbCr: adobeTransform === undefined ? ids !== 'RGB' : adobeTransform !== 0,
    orientation,
  };
}

function readFrame(marker: number, data: Buffer): Frame {
  if (data.length < 6 || data.length < 6 + 3 * data[5]) throw damaged('the segment that gives its size is too short');
  const [precision, count] = [data[0], data[5]];
  if (!SUPPORTED_FRAMES.includes(marker) || precision !== 8) {
    const process = `SOF${marker - 0xc0}, ${precision} bits`;
    throw new PictureError(
      `is an unsupported kind of JPEG (${process}); save it as a baseline or progressive JPEG, or as PNG`,
    );
  }
  const [width, height] = [data.readUInt16BE(3), data.readUInt16BE(1)];
  checkDimensions(width, height);
  const components = Array.from({ length: count }, (_, i) => {
    const [id, sampling] = data.subarray(6 + 3 * i);
    return { id, h: sampling >> 4, v: sampling & 15 };
  });
  return { width, height, isProgressive: marker === PROGRESSIVE_FRAME, components };
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
