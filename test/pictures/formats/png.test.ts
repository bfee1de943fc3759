import { deflateSync } from 'node:zlib';
import { encode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { decodePicture } from '../../../src/pictures/decode.ts';
import { Random } from '../../../src/random.ts';
import { pngChunk, pngFile } from '../../support/pictures.ts';

const random = new Random(1, 'pictures');
const numbers = (count: number, below: number) => Array.from({ length: count }, () => random.integer(below));
const pixels = (file: Uint8Array) => [...decodePicture(file, 'a.png').rgb];
const grey = (values: readonly number[]) => values.flatMap((value) => [value, value, value]);

/** 13 × 11: not a multiple of a byte or of an interlacing pass. */
const [width, height] = [13, 11];

describe.each([false, true])('a PNG, interlaced: %s', (interlaced) => {
  it.each([1, 2, 4, 8, 16])('is decoded in grey with %i bits', (depth) => {
    const largest = 2 ** depth - 1;
    const samples = numbers(width * height, largest + 1);
    const file = pngFile({ width, height, depth, colourType: 0, samples, interlaced });
    expect(pixels(file)).toEqual(grey(samples.map((sample) => Math.round((255 * sample) / largest))));
  });

  it.each([0, 1, 2, 3, 4])('is decoded in colour with filter %i', (filter) => {
    const samples = numbers(3 * width * height, 256);
    expect(pixels(pngFile({ width, height, depth: 8, colourType: 2, samples, filter, interlaced }))).toEqual(samples);
    const deep = samples.map((sample) => Math.min(65535, 257 * sample + random.integer(128)));
    expect(pixels(pngFile({ width, height, depth: 16, colourType: 2, samples: deep, filter, interlaced }))).toEqual(
      samples,
    );
  });

  it.each([1, 2, 4, 8])('is decoded with a palette and %i bits', (depth) => {
    const palette = numbers(3 * 2 ** depth, 256);
    const samples = numbers(width * height, 2 ** depth);
    const file = pngFile({ width, height, depth, colourType: 3, samples, palette, interlaced });
    expect(pixels(file)).toEqual(samples.flatMap((index) => palette.slice(3 * index, 3 * index + 3)));
  });

  it.each([
    [0, 1],
    [0, 2],
    [0, 4],
    [0, 8],
    [0, 16],
    [2, 8],
    [2, 16],
    [3, 1],
    [3, 8],
    [4, 8],
    [6, 16],
  ])('of colour type %i with %i bits is refused with one byte too few or too many', (colourType, depth) => {
    const palette = colourType === 3 ? numbers(3 * 2 ** depth, 256) : undefined;
    const samples = numbers(4 * 32 * 32, 2 ** depth);
    const file = (dataLength: (complete: number) => number) =>
      pngFile({
        width: 32,
        height: 32,
        depth,
        colourType,
        samples,
        interlaced,
        dataLength,
        ...(palette && { palette }),
      });
    const error = (dataLength: (complete: number) => number) => {
      expect(() => decodePicture(file(dataLength), 'a.png')).toThrow(
        /^a.png is damaged: it has .*; get an intact copy$/,
      );
    };
    expect(pixels(file((complete) => complete))).toHaveLength(3 * 32 * 32);
    error((complete) => complete - 1);
    error((complete) => complete + 1);
    error((complete) => 2 * complete);
    error((complete) => Math.floor(complete / 16)); // two rows of 32
    error(() => 0);
  });
});

describe('a transparent PNG', () => {
  const at = (samples: number[], options: object) => {
    const file = pngFile({ width: 1, height: 1, depth: 8, colourType: 2, ...options, samples });
    const { rgb, preprocessing } = decodePicture(file, 'a');
    return { rgb: [...rgb], preprocessing };
  };
  const preprocessing = ['composited on white'];

  it('is composited on white', () => {
    expect(at([200, 100, 0, 51], { colourType: 6 })).toEqual({ rgb: [244, 224, 204], preprocessing });
    expect(at([200, 0], { colourType: 4 })).toEqual({ rgb: [255, 255, 255], preprocessing });
    expect(at([0, 32768], { colourType: 4, depth: 16 })).toEqual({ rgb: [127, 127, 127], preprocessing });
    expect(at([1], { colourType: 3, palette: [9, 9, 9, 100, 0, 50], transparency: [255, 128] })).toEqual({
      rgb: [177, 127, 152],
      preprocessing,
    });
    expect(at([7, 8, 9], { transparency: [0, 7, 0, 8, 0, 9] })).toEqual({ rgb: [255, 255, 255], preprocessing });
    expect(at([2], { colourType: 0, depth: 2, transparency: [0, 2] })).toEqual({ rgb: [255, 255, 255], preprocessing });
  });

  it('that is opaque everywhere is not reported as composited', () => {
    expect(at([7, 8, 9], { transparency: [0, 7, 0, 8, 0, 10] })).toEqual({ rgb: [7, 8, 9], preprocessing: [] });
    expect(at([7, 8, 9, 255], { colourType: 6 })).toEqual({ rgb: [7, 8, 9], preprocessing: [] });
  });
});

it('decodes PNG files encoded by another program', () => {
  const data = Uint8Array.from(numbers(4 * 40 * 30, 256), (value, i) => (i % 4 === 3 ? 255 : value));
  const rgb = data.filter((_, i) => i % 4 !== 3);
  for (const interlace of ['null', 'Adam7'] as const) {
    const file = encode({ width: 40, height: 30, channels: 4, data }, { interlace });
    expect(Buffer.from(decodePicture(file, 'a').rgb).equals(rgb)).toBe(true);
  }
});

describe('a damaged PNG', () => {
  const whole = pngFile({ width, height, depth: 8, colourType: 2, samples: numbers(3 * width * height, 256) });

  it('is an error wherever it is truncated', () => {
    for (let length = 4; length < whole.length; length++) {
      expect(() => decodePicture(whole.subarray(0, length), 'cut.png')).toThrow(/^cut.png is damaged: .*intact copy/);
    }
  });

  it('is an error whichever byte is changed', () => {
    for (let at = 4; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at] ^= 0x40;
      expect(() => decodePicture(changed, 'changed.png')).toThrow(/^changed.png (is damaged|has \d+×\d+ pixels)/);
    }
  });

  const withPixels = (unpacked: Buffer, size = [4, 4]) =>
    Buffer.concat([
      whole.subarray(0, 8),
      pngChunk('IHDR', Buffer.from([0, 0, 0, size[0], 0, 0, 0, size[1], 8, 2, 0, 0, 0])),
      pngChunk('IDAT', deflateSync(unpacked)),
      pngChunk('IEND', Buffer.alloc(0)),
    ]);

  it('has an unknown filter, no pixels, or far more than its header says', () => {
    expect(decodePicture(withPixels(Buffer.alloc(4 * 13)), 'a').width).toBe(4);
    expect(() => decodePicture(withPixels(Buffer.alloc(4 * 13, 5)), 'a')).toThrow('a is damaged');
    expect(() => decodePicture(withPixels(Buffer.alloc(0), [0, 4]), 'a')).toThrow('0×4 pixels');
    expect(() => decodePicture(withPixels(Buffer.alloc(50e6)), 'a')).toThrow('a is damaged');
  });

  it('has a kind of pixels that the format does not know', () => {
    const samples = numbers(width * height, 8);
    expect(() => pixels(pngFile({ width, height, depth: 3, colourType: 0, samples }))).toThrow(
      'a.png is damaged: its header says colour type 0 with 3 bits; get an intact copy',
    );
  });

  it('is whole whatever follows its end', () => {
    const { rgb } = decodePicture(whole, 'a.png');
    expect(decodePicture(Buffer.concat([whole, Buffer.from('more')]), 'a.png').rgb).toEqual(rgb);
  });

  it('is refused before memory is allocated if its header claims a huge size', () => {
    const header = Buffer.from([0, 0, 0x30, 0, 0, 0, 0x30, 0, 16, 6, 0, 0, 0]);
    const huge = Buffer.concat([whole.subarray(0, 8), pngChunk('IHDR', header), pngChunk('IEND', Buffer.alloc(0))]);
    expect(() => decodePicture(huge, 'huge.png')).toThrow(
      'huge.png has 12288×12288 pixels, wanted at most 100 million',
    );
  });
});
