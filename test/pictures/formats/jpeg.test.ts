import { encode } from 'jpeg-js';
import { describe, expect, it } from 'vitest';
import { decodePicture } from '../../../src/pictures/decode.ts';
import { jpegFile, progressiveScans } from '../../support/pictures.ts';

/** Colours of the 8 × 8 blocks, row by row. Expects each block to have a single colour. */
function blocks(file: Uint8Array): { size: string; colours: number[][]; preprocessing: readonly string[] } {
  const { width, height, rgb, preprocessing } = decodePicture(file, 'a.jpg');
  const at = (x: number, y: number) => [...rgb.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)];
  const colours: number[][] = [];
  for (let y = 0; y < height; y += 8) {
    for (let x = 0; x < width; x += 8) {
      colours.push(at(x, y));
      for (let i = 0; i < 64; i++) {
        if (x + (i % 8) < width && y + (i >> 3) < height) expect(at(x + (i % 8), y + (i >> 3))).toEqual(at(x, y));
      }
    }
  }
  return { size: `${width}×${height}`, colours, preprocessing };
}

const GREY = [10, 250, 128, 0, 255, 77];

describe('a JPEG', () => {
  it('is decoded in grey, with restart markers, at sizes that are not multiples of 8', () => {
    for (const restartInterval of [0, 1, 4]) {
      const file = jpegFile({ width: 20, height: 13, components: [GREY], restartInterval });
      const colours = GREY.map((value) => [value, value, value]);
      expect(blocks(file)).toEqual({ size: '20×13', colours, preprocessing: [] });
    }
  });

  it('is decoded from one scan for each component, and from progressive scans', () => {
    const components = [GREY, GREY.toReversed(), GREY.map((value) => 255 - value)];
    for (const restartInterval of [0, 2]) {
      const parts = { width: 20, height: 13, components, restartInterval };
      const expected = blocks(jpegFile(parts));
      const separate = components.map((_, i) => ({ components: [i] }));
      expect(blocks(jpegFile({ ...parts, scans: separate }))).toEqual(expected);
      expect(blocks(jpegFile({ ...parts, frame: 2, scans: progressiveScans(3) }))).toEqual(expected);
    }
  });

  it('is decoded as YCbCr, or as RGB if it is marked as RGB', () => {
    const components = [[100], [128], [228]];
    // ITU-T T.871: R = Y + 1.402 (Cr − 128), G = Y − 0.344136 (Cb − 128) − 0.714136 (Cr − 128), B = Y + 1.772 (Cb − 128)
    const ycbcr = [[240, 29, 100]];
    const near = (file: Buffer, colours: number[][]) => {
      for (const [c, value] of blocks(file).colours[0].entries())
        expect(Math.abs(value - colours[0][c])).toBeLessThan(2);
    };
    near(jpegFile({ width: 8, height: 8, components }), ycbcr);
    near(jpegFile({ width: 8, height: 8, components, adobe: 1 }), ycbcr);
    expect(blocks(jpegFile({ width: 8, height: 8, components, adobe: 0 })).colours).toEqual([[100, 128, 228]]);
    const ids = [...Buffer.from('RGB')];
    expect(blocks(jpegFile({ width: 8, height: 8, components, ids })).colours).toEqual([[100, 128, 228]]);
  });

  it('is decoded from CMYK, which Adobe stores inverted', () => {
    const components = [
      [255, 0, 255],
      [255, 255, 255],
      [255, 255, 255],
      [255, 255, 100],
    ];
    const file = jpegFile({ width: 24, height: 8, components, adobe: 0 });
    expect(blocks(file).colours).toEqual([
      [255, 255, 255],
      [0, 255, 255],
      [100, 100, 100],
    ]);
  });

  // Six distinct blocks, so that every orientation gives a different order.
  it.each([
    [1, '16×24', [0, 9, 1, 2, 3, 4]],
    [2, '16×24', [9, 0, 2, 1, 4, 3]],
    [3, '16×24', [4, 3, 2, 1, 9, 0]],
    [4, '16×24', [3, 4, 1, 2, 0, 9]],
    [5, '24×16', [0, 1, 3, 9, 2, 4]],
    [6, '24×16', [3, 1, 0, 4, 2, 9]],
    [7, '24×16', [4, 2, 9, 3, 1, 0]],
    [8, '24×16', [9, 2, 4, 0, 1, 3]],
  ])('is turned upright from EXIF orientation %i', (orientation, size, order) => {
    const file = jpegFile({ width: 16, height: 24, components: [[0, 9, 1, 2, 3, 4]], orientation });
    const preprocessing = orientation === 1 ? [] : ['turned upright'];
    expect(blocks(file)).toEqual({ size, colours: order.map((value) => [value, value, value]), preprocessing });
  });

  it('encoded by another program is decoded to nearly the original pixels', () => {
    const [width, height] = [50, 30];
    const data = Uint8Array.from({ length: 4 * width * height }, (_, i) => 100 + 60 * Math.sin(i / 400 + (i % 4)));
    const { rgb } = decodePicture(encode({ width, height, data }, 95).data, 'a.jpg');
    for (let i = 0; i < width * height; i++) {
      for (let c = 0; c < 3; c++) expect(Math.abs(rgb[3 * i + c] - data[4 * i + c])).toBeLessThan(24);
    }
  });
});

describe('a JPEG that cannot be decoded', () => {
  const whole = jpegFile({ width: 24, height: 16, components: [GREY, GREY, GREY], orientation: 6 });

  it('is an error wherever it is truncated', () => {
    for (let length = 2; length < whole.length; length++) {
      expect(() => decodePicture(whole.subarray(0, length), 'cut.jpg')).toThrow(/^cut.jpg is damaged: .*intact copy/);
    }
  });

  it('is an error wherever it is truncated, even if the marker of its end follows', () => {
    const scans = [[0], [1], [2]].map((components) => ({ components }));
    const end = Buffer.from([0xff, 0xd9]);
    for (const parts of [{}, { restartInterval: 1 }, { scans }, { frame: 2, scans: progressiveScans(3) }]) {
      const file = jpegFile({ width: 24, height: 16, components: [GREY, GREY, GREY], ...parts });
      for (let length = 2; length < file.length - 2; length++) {
        const cut = Buffer.concat([file.subarray(0, length), end]);
        expect(() => decodePicture(cut, 'cut.jpg'), `${JSON.stringify(parts)} ${length}`).toThrow(
          /^cut.jpg is damaged: .*; get an intact copy$/,
        );
      }
    }
  });

  it('names what is missing', () => {
    const error = (parts: object, message: string) => {
      const file = jpegFile({ width: 24, height: 16, components: [GREY, GREY, GREY], ...parts });
      expect(() => decodePicture(file, 'a.jpg')).toThrow(`a.jpg is damaged: ${message}; get an intact copy`);
    };
    const scans = progressiveScans(3);
    error({ scans: [{ components: [0] }, { components: [2] }] }, 'its last scans are missing');
    for (let count = 0; count < scans.length; count++) {
      error({ frame: 2, scans: scans.slice(0, count) }, 'its last scans are missing');
    }
    error({ frame: 2, scans: scans.toSpliced(2, 1) }, 'a scan is missing');
  });

  it('lacks a restart interval, at any place', () => {
    const file = jpegFile({ width: 80, height: 8, components: [Array(10).fill(7)], restartInterval: 1 });
    const markers = Array.from(file.keys()).filter((at) => file[at] === 0xff && (file[at + 1] & 0xf8) === 0xd0);
    expect(markers).toHaveLength(9);
    for (const [i, at] of markers.entries()) {
      const next = markers[i + 1] ?? file.length - 2;
      const without = Buffer.concat([file.subarray(0, at), file.subarray(next)]);
      expect(() => decodePicture(without, 'a.jpg')).toThrow('a scan has 8 restart markers, wanted 9, in order');
    }
  });

  it('is refused if it is huge, has 12 bits per sample, or uses arithmetic coding', () => {
    const huge = () => decodePicture(jpegFile({ width: 20000, height: 20000, components: [[0]] }), 'huge.jpg');
    expect(huge).toThrow('huge.jpg has 20000×20000 pixels, wanted at most 100 million');
    const deep = jpegFile({ width: 8, height: 8, components: [[0]], frame: 1, bitsPerSample: 12 });
    expect(() => decodePicture(deep, 'a')).toThrow('unsupported kind of JPEG (SOF1, 12 bits)');
    const arithmetic = jpegFile({ width: 8, height: 8, components: [[0]], frame: 9 });
    expect(() => decodePicture(arithmetic, 'a')).toThrow('unsupported kind of JPEG (SOF9, 8 bits)');
  });
});
