import { PictureError } from '../picture.ts';

/** Another format. Its first file name extension is that of the command which converts it to PNG. */
interface OtherFormat {
  readonly signature: string;
  readonly offset: number;
  readonly name: string;
  readonly extension?: string;
}

const OTHER_FORMATS: readonly OtherFormat[] = [
  { signature: 'GIF8', offset: 0, name: 'a GIF', extension: 'gif' },
  { signature: 'WEBP', offset: 8, name: 'a WebP file', extension: 'webp' },
  { signature: 'BM', offset: 0, name: 'a BMP file', extension: 'bmp' },
  { signature: 'II*\0', offset: 0, name: 'a TIFF file', extension: 'tif' },
  { signature: 'MM\0*', offset: 0, name: 'a TIFF file', extension: 'tif' },
  { signature: 'ftypavif', offset: 4, name: 'an AVIF file', extension: 'avif' },
  { signature: 'ftypavis', offset: 4, name: 'an AVIF file', extension: 'avif' },
  { signature: 'ftyphei', offset: 4, name: 'a HEIC file', extension: 'heic' },
  { signature: 'ftyphev', offset: 4, name: 'a HEIC file', extension: 'heic' },
  { signature: 'ftypmif1', offset: 4, name: 'a HEIC file', extension: 'heic' },
  { signature: 'ftyp', offset: 4, name: 'a video' },
  { signature: '\xff\x0a', offset: 0, name: 'a JPEG XL file', extension: 'jxl' },
  { signature: 'JXL ', offset: 4, name: 'a JPEG XL file', extension: 'jxl' },
  { signature: 'jP  ', offset: 4, name: 'a JPEG 2000 file', extension: 'jp2' },
  { signature: '\0\0\x01\0', offset: 0, name: 'an ICO file', extension: 'ico' },
  { signature: '%PDF', offset: 0, name: 'a PDF', extension: 'pdf' },
  { signature: 'PK\x03\x04', offset: 0, name: 'a ZIP archive' },
  { signature: '\x1f\x8b', offset: 0, name: 'a gzip file' },
];

/** Formats with several pictures or pages in a file, of which the first is converted. */
const WITH_SEVERAL_PICTURES = ['gif', 'tif', 'ico', 'pdf'];

/** The format of a picture, recognised by its first bytes.
 *  @throws PictureError that describes the format, if it is neither PNG nor JPEG. */
export function recognise(bytes: Uint8Array): 'PNG' | 'JPEG' {
  const start = Buffer.from(bytes.subarray(0, 512)).toString('latin1');
  if (start.startsWith('\x89PNG')) return 'PNG';
  if (start.startsWith('\xff\xd8')) return 'JPEG';
  throw new PictureError(`${descriptionOf(start, bytes)}; wanted a PNG or a JPEG${conversionOf(start)}`);
}

/** Describes a file by its start, as the end of a sentence, such as 'is a GIF'. */
function descriptionOf(start: string, bytes: Uint8Array): string {
  if (start === '') return 'is empty';
  const other = otherFormatOf(start);
  if (other) return `is ${other.name}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters distinguish binary data from text.
  if (!/[\0-\x08\x0e-\x1a\x1c-\x1f]/.test(start)) return 'looks like text';
  const first = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0'));
  return `has an unknown format: it begins with the bytes ${first.join(' ')}`;
}

/** How to convert a picture to PNG. */
function conversionOf(start: string): string {
  const extension = otherFormatOf(start)?.extension;
  if (extension === undefined) return '';
  const input = WITH_SEVERAL_PICTURES.includes(extension) ? `"in.${extension}[0]"` : `in.${extension}`;
  // sips, a part of macOS, reads every one of these formats but SVG.
  const onMac = extension === 'svg' ? '' : `; on macOS also with sips -s format png in.${extension} -o out.png`;
  return `. Convert it, for example with ImageMagick: magick ${input} out.png${onMac}`;
}

function otherFormatOf(start: string): Pick<OtherFormat, 'name' | 'extension'> | undefined {
  const isSvg = /^\s*<(\?xml|!--|svg)/.test(start) && start.includes('<svg');
  if (isSvg) return { name: 'an SVG', extension: 'svg' };
  return OTHER_FORMATS.find(({ signature, offset }) => start.startsWith(signature, offset));
}
