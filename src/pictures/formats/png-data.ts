import { constants, inflateSync } from 'node:zlib';
import { checkDimensions, damaged } from '../picture.ts';

// A PNG file is a signature of 8 bytes and a sequence of chunks: a length, a type, data, a CRC. The data of the IDAT chunks
// together are one zlib stream of rows, each preceded by a byte that names its filter. Source: W3C, PNG, 5, 7 and 11.2.

/** By colour type: the samples of a pixel, and the numbers of bits that a sample may have. */
const COLOUR_TYPES: Readonly<Record<number, { readonly samples: number; readonly depths: readonly number[] }>> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
  3: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
};

/** Passes of an interlaced picture: first column and row, distance of columns and rows. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

/** Bytes that are decompressed at a time. */
const MAX_CHUNK = 2 ** 20;

/** Checks that a PNG has exactly the data that its size requires: the decoder fills in what is missing.
 *  @returns the file without anything that follows its last chunk.
 *  @throws PictureError if it is truncated, too large, or has too little or too much data. */
export function checkPngData(file: Buffer): Buffer {
  let wanted: number | undefined;
  const data: Buffer[] = [];
  for (let at = 8; at + 12 <= file.length; ) {
    const [type, start] = [file.toString('latin1', at + 4, at + 8), at + 8];
    const end = start + file.readUInt32BE(at);
    if (end + 4 > file.length) break;
    const content = file.subarray(start, end);
    if (wanted === undefined) wanted = dataLength(type, content);
    if (type === 'IDAT') data.push(content);
    at = end + 4;
    if (type !== 'IEND') continue;
    checkLength(data, wanted);
    return file.subarray(0, at);
  }
  throw damaged(`it is truncated after ${file.length} bytes`);
}

/** Bytes of all rows of a picture with this first chunk, decompressed. */
function dataLength(type: string, header: Buffer): number {
  if (type !== 'IHDR' || header.length !== 13) throw damaged('it does not begin with a header of 13 bytes');
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const [depth, colourType, interlacing] = [header[8], header[9], header[12]];
  checkDimensions(width, height);
  const { samples, depths } = COLOUR_TYPES[colourType] ?? { samples: 0, depths: [] };
  if (!depths.includes(depth)) throw damaged(`its header says colour type ${colourType} with ${depth} bits`);
  const passes = interlacing === 0 ? [[0, 0, 1, 1]] : ADAM7;
  let length = 0;
  for (const [left, top, columnStep, rowStep] of passes) {
    const [columns, rows] = [Math.ceil((width - left) / columnStep), Math.ceil((height - top) / rowStep)];
    if (columns > 0 && rows > 0) length += rows * (1 + Math.ceil((columns * samples * depth) / 8));
  }
  return length;
}

function checkLength(data: readonly Buffer[], wanted: number): void {
  let got: number;
  try {
    const chunkSize = Math.min(Math.max(wanted, constants.Z_MIN_CHUNK), MAX_CHUNK);
    got = inflateSync(Buffer.concat(data), { maxOutputLength: wanted, chunkSize }).length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw damaged(`it has more than the ${wanted} bytes of pixel data that its size requires`);
    }
    throw damaged(`its pixel data cannot be decompressed (${(error as Error).message})`);
  }
  if (got < wanted) throw damaged(`it has ${got} bytes of pixel data, wanted ${wanted}`);
}
