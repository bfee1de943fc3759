import { expect, it } from 'vitest';
import { decodePicture } from '../../src/pictures/decode.ts';

it('describes a file in an unsupported format', () => {
  const cases: [string | Uint8Array, string][] = [
    ['', 'is empty'],
    ['# Notes\nthat somebody took, naïvely\n', 'looks like text'],
    [Uint8Array.of(1, 2, 3, 4), 'has an unknown format: it begins with the bytes 01 02 03 04'],
  ];
  for (const [content, description] of cases) {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
    expect(() => decodePicture(bytes, 'x.png')).toThrow(`x.png ${description}; wanted a PNG or a JPEG`);
  }
});

it('tells how to convert another kind of picture', () => {
  const cases: [string, string][] = [
    [
      'GIF89a\x01\0',
      'is a GIF; wanted a PNG or a JPEG. Convert it, for example with ImageMagick: magick "in.gif[0]" out.png',
    ],
    ['RIFF\0\0\0\0WEBPVP8 ', 'magick in.webp out.png; on macOS also with sips -s format png in.webp -o out.png'],
    ['\0\0\0\x18ftypheic', 'is a HEIC file'],
    ['\0\0\0\x18ftypavif', 'is an AVIF file'],
    ['\0\0\0\x18ftypmp42', 'is a video; wanted a PNG or a JPEG'],
    [
      '<?xml version="1.0"?>\n<svg xmlns="">',
      'is an SVG; wanted a PNG or a JPEG. Convert it, for example with ImageMagick: magick in.svg',
    ],
  ];
  for (const [content, text] of cases) expect(() => decodePicture(Buffer.from(content, 'latin1'), 'x')).toThrow(text);
});
