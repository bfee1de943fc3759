import { expect, it } from 'vitest';
import { decodePicture } from '../../src/pictures/decode.ts';

it('describes a file in an unsupported format', () => {
  const cases: [string | Uint8Array, string][] = [
    ['', 'is empty'],
    ['# Notes\nthat somebody took, naïvely\n', 'looks like text'],
    ['GIF89a\x01\0', 'is a GIF'],
    ['RIFF\0\0\0\0WEBPVP8 ', 'is a WebP file'],
    ['\0\0\0\x18ftypheic', 'is a HEIC file'],
    ['<?xml version="1.0"?>\n<svg xmlns="">', 'is an SVG'],
    [Uint8Array.of(1, 2, 3, 4), 'has an unknown format: it begins with the bytes 01 02 03 04'],
  ];
  for (const [content, description] of cases) {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
    expect(() => decodePicture(bytes, 'x.png')).toThrow(`x.png ${description}; wanted a PNG or a JPEG`);
  }
});
