import { describeStart, kindOf } from '../../file-kinds.ts';
import { PictureError } from '../picture.ts';

/** Formats with several pictures or pages in a file, of which the first is converted. */
const WITH_SEVERAL_PICTURES = ['gif', 'tif', 'ico', 'pdf'];

/** The format of a picture, recognised by its first bytes.
 *  @throws PictureError that describes the format, if it is neither PNG nor JPEG. */
export function recognise(bytes: Uint8Array): 'PNG' | 'JPEG' {
  const kind = kindOf(bytes);
  if (kind?.id === 'png') return 'PNG';
  if (kind?.id === 'jpeg') return 'JPEG';
  throw new PictureError(`${describeStart(bytes)}; wanted a PNG or a JPEG${conversionFrom(kind?.extension)}`);
}

/** How to convert a picture to PNG. */
function conversionFrom(extension: string | undefined): string {
  if (extension === undefined) return '';
  const input = WITH_SEVERAL_PICTURES.includes(extension) ? `"in.${extension}[0]"` : `in.${extension}`;
  // sips, a part of macOS, reads every one of these formats but SVG.
  const onMac = extension === 'svg' ? '' : `; on macOS also with sips -s format png in.${extension} -o out.png`;
  return `. Convert it, for example with ImageMagick: magick ${input} out.png${onMac}`;
}
