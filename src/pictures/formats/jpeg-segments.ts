import { damaged } from '../picture.ts';

// A JPEG file is a sequence of segments: 0xFF, a marker, a length and data. The segment that starts a scan is followed by
// the coded pixels, in which 0xFF is always followed by 0 or by a restart marker. Source: ITU-T T.81, annex B.

export const MARKER = {
  startOfScan: 0xda,
  endOfImage: 0xd9,
  restartInterval: 0xdd,
  app1: 0xe1,
  app14: 0xee,
} as const;

export interface Segment {
  readonly marker: number;
  readonly data: Buffer;
  /** Restart markers, 0 to 7, in the coded pixels that follow the start of a scan. */
  readonly restarts: readonly number[];
}

/** Reads the segments up to the end of the image. @throws PictureError if the file ends before it. */
export function* segments(file: Buffer): Generator<Segment> {
  for (let at = 2; at + 2 <= file.length; ) {
    const marker = file[at + 1];
    if (file[at] !== 0xff) throw damaged(`byte ${at} is ${file[at]}, wanted 255, the start of a segment`);
    if (marker === 0xff) {
      at++; // a fill byte
      continue;
    }
    if (marker === MARKER.endOfImage) return;
    if (at + 4 > file.length) break;
    const end = at + 2 + file.readUInt16BE(at + 2);
    if (end > file.length) break;
    const data = file.subarray(at + 4, end);
    const { restarts, end: next } = marker === MARKER.startOfScan ? codedPixels(file, end) : { restarts: [], end };
    yield { marker, data, restarts };
    at = next;
  }
  throw damaged(`it is truncated after ${file.length} bytes`);
}

/** Finds the end of coded pixels, and the restart markers in them. */
function codedPixels(file: Buffer, start: number): { readonly restarts: number[]; readonly end: number } {
  const restarts: number[] = [];
  for (let at = file.indexOf(0xff, start); at >= 0; at = file.indexOf(0xff, at + 1)) {
    const next = file[at + 1];
    if (next >= 0xd0 && next <= 0xd7) restarts.push(next - 0xd0);
    else if (next !== 0 && next !== 0xff) return { restarts, end: at };
  }
  return { restarts, end: file.length };
}
