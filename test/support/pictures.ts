import { crc32, deflateSync } from 'node:zlib';

// Picture files assembled by hand from the specifications, for tests that must not depend on an encoder.

interface PngParts {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
  readonly colourType: number;
  /** Samples of all pixels, row by row. */
  readonly samples: readonly number[];
  /** Filter of every row, 0 to 4. */
  readonly filter?: number;
  readonly interlaced?: boolean;
  readonly palette?: readonly number[];
  readonly transparency?: readonly number[];
  /** Bytes of the filtered rows: those beyond the picture's own are 0. Default: all and no more. */
  readonly dataLength?: (complete: number) => number;
}

const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** Passes of Adam7: first column, first row, column spacing, row spacing. */
const ADAM7 = ['0 0 8 8', '4 0 8 8', '0 4 4 8', '2 0 4 4', '0 2 2 4', '1 0 2 2', '0 1 1 2'];

/** Encodes a PNG file. */
export function pngFile(parts: PngParts): Buffer {
  const { width, height, depth, colourType, samples, interlaced = false, dataLength = (complete) => complete } = parts;
  const channels = CHANNELS[colourType];
  const rows: Buffer[] = [];
  for (const pass of interlaced ? ADAM7 : ['0 0 1 1']) {
    const [x0, y0, dx, dy] = pass.split(' ').map(Number);
    let above: Buffer | undefined;
    for (let y = y0; y < height; y += dy) {
      const line: number[] = [];
      for (let x = x0; x < width; x += dx) {
        line.push(...samples.slice((y * width + x) * channels, (y * width + x + 1) * channels));
      }
      if (line.length === 0) continue;
      const bits = line.map((sample) => binary(sample, depth)).join('');
      const bytes = Buffer.from((bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2)));
      rows.push(filtered(bytes, above, parts.filter ?? 0, Math.max(1, (channels * depth) / 8)));
      above = bytes;
    }
  }
  const complete = Buffer.concat(rows);
  const data = Buffer.alloc(dataLength(complete.length));
  complete.copy(data);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colourType, 0, 0, Number(interlaced)], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk('IHDR', header),
    ...(parts.palette ? [pngChunk('PLTE', Buffer.from(parts.palette))] : []),
    ...(parts.transparency ? [pngChunk('tRNS', Buffer.from(parts.transparency))] : []),
    pngChunk('IDAT', deflateSync(data)),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

export function pngChunk(type: string, data: Buffer): Buffer {
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, 'latin1');
  chunk.set(data, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
  return chunk;
}

function filtered(row: Buffer, above: Buffer | undefined, filter: number, step: number): Buffer {
  const out = Buffer.alloc(1 + row.length);
  out[0] = filter;
  for (let i = 0; i < row.length; i++) {
    const [a, b, c] = [row[i - step] ?? 0, above?.[i] ?? 0, (i >= step ? above?.[i - step] : 0) ?? 0];
    const p = a + b - c;
    const nearest = [a, b, c].sort((u, v) => Math.abs(p - u) - Math.abs(p - v))[0];
    out[1 + i] = row[i] - [0, a, b, Math.floor((a + b) / 2), nearest][filter];
  }
  return out;
}

interface JpegParts {
  readonly width: number;
  readonly height: number;
  /** For each component the values of its 8 × 8 blocks, 0 to 255, row by row. */
  readonly components: readonly (readonly number[])[];
  readonly ids?: readonly number[];
  /** Number of blocks between restart markers. */
  readonly restartInterval?: number;
  /** Colour transform in the Adobe segment. */
  readonly adobe?: number;
  /** EXIF orientation. */
  readonly orientation?: number;
  readonly bitsPerSample?: number;
  readonly frame?: number;
  /** Default: one scan of all components. */
  readonly scans?: readonly JpegScan[];
}

/** A scan of a JPEG: what it transmits of which components. */
export interface JpegScan {
  /** Indices of the components. */
  readonly components: readonly number[];
  /** First and last coefficient, 0 to 63. Default: all. */
  readonly first?: number;
  readonly last?: number;
  /** For a progressive file: low bits that are missing before and after the scan; 0 before for a first scan. */
  readonly before?: number;
  readonly after?: number;
}

/** The scans of a usual progressive file: the upper bits of the means, the details, and the lowest bits of the means. */
export function progressiveScans(components: number): JpegScan[] {
  const all = Array.from({ length: components }, (_, i) => i);
  return [
    { components: all, first: 0, last: 0, after: 1 },
    ...all.map((i) => ({ components: [i], first: 1, last: 5, after: 2 })),
    ...all.map((i) => ({ components: [i], first: 6, last: 63, after: 2 })),
    ...all.map((i) => ({ components: [i], first: 1, last: 63, before: 2, after: 1 })),
    { components: all, first: 0, last: 0, before: 1, after: 0 },
    ...all.map((i) => ({ components: [i], first: 1, last: 63, before: 1, after: 0 })),
  ];
}

/** Encodes a JPEG file of uniform blocks that decode to exactly the given values. A block is coded as its difference from
 *  the previous one: 4 bits for the size of the difference, 0 to 8 bits for the difference, '0' for the end of the block. */
export function jpegFile(parts: JpegParts): Buffer {
  const { width, height, components, restartInterval } = parts;
  const ids = parts.ids ?? components.map((_, i) => i + 1);
  const segment = (marker: number, data: readonly number[]) => [
    0xff,
    marker,
    (data.length + 2) >> 8,
    (data.length + 2) & 255,
    ...data,
  ];
  const word = (value: number) => [value >> 8, value & 255];
  const ascii = (text: string) => [...Buffer.from(text, 'latin1')];
  return Buffer.from([
    ...[0xff, 0xd8],
    ...(parts.orientation
      ? segment(0xe1, [
          ...ascii('Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0'),
          parts.orientation,
          ...Array(6).fill(0),
        ])
      : []),
    ...(parts.adobe === undefined ? [] : segment(0xee, [...ascii('Adobe'), 0, 100, 0, 0, 0, 0, parts.adobe])),
    ...segment(0xdb, [0, ...Array(64).fill(8)]),
    ...segment(0xc0 + (parts.frame ?? 0), [
      parts.bitsPerSample ?? 8,
      ...word(height),
      ...word(width),
      components.length,
      ...ids.flatMap((id) => [id, 0x11, 0]),
    ]),
    ...segment(0xc4, [0x00, 0, 0, 0, 9, ...Array(12).fill(0), 0, 1, 2, 3, 4, 5, 6, 7, 8]),
    ...segment(0xc4, [0x10, 1, ...Array(15).fill(0), 0]),
    ...(restartInterval ? segment(0xdd, word(restartInterval)) : []),
    ...(parts.scans ?? [{ components: ids.map((_, i) => i) }]).flatMap((scan) => [
      ...segment(0xda, [
        scan.components.length,
        ...scan.components.flatMap((i) => [ids[i], 0]),
        scan.first ?? 0,
        scan.last ?? 63,
        ((scan.before ?? 0) << 4) | (scan.after ?? 0),
      ]),
      ...codedBlocks(components, scan, restartInterval || Infinity),
    ]),
    ...[0xff, 0xd9],
  ]);
}

function codedBlocks(components: JpegParts['components'], scan: JpegScan, restartInterval: number): number[] {
  const { first = 0, last = 63, before = 0, after = 0 } = scan;
  const bytes: number[] = [];
  let bits = '';
  const flush = () => {
    for (const byte of bits.match(/.{1,8}/g) ?? []) {
      bytes.push(Number.parseInt(byte.padEnd(8, '1'), 2));
      if (bytes.at(-1) === 255) bytes.push(0);
    }
    bits = '';
  };
  let previous: number[] = [];
  for (let block = 0; block < components[0].length; block++) {
    if (block % restartInterval === 0) {
      if (block > 0) {
        flush();
        bytes.push(0xff, 0xd0 + ((block / restartInterval - 1) & 7));
      }
      previous = components.map(() => 0);
    }
    for (const c of scan.components) {
      const mean = (components[c][block] - 128) >> after;
      if (first === 0 && before > 0) bits += mean & 1;
      else if (first === 0) bits += difference(mean - previous[c]);
      if (last > 0) bits += '0'; // the end of the block: all details are 0
      previous[c] = mean;
    }
  }
  flush();
  return bytes;
}

function difference(value: number): string {
  const size = value === 0 ? 0 : Math.floor(Math.log2(Math.abs(value))) + 1;
  return `${binary(size, 4)}${size === 0 ? '' : binary(value < 0 ? value + 2 ** size - 1 : value, size)}`;
}

function binary(value: number, digits: number): string {
  return value.toString(2).padStart(digits, '0');
}
