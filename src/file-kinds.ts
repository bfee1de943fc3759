/** What a file is, as its first bytes tell. */
export interface FileKind {
  /** For programs; 'other' for the kinds that need no treatment of their own. */
  readonly id:
    | 'png'
    | 'jpeg'
    | 'gzip'
    | 'tar'
    | 'parquet'
    | 'pickle'
    | 'packed'
    | 'page'
    | 'pointer'
    | 'empty'
    | 'text'
    | 'other';
  /** For people: completes a sentence that begins with the file's name, such as 'is a GIF'. */
  readonly description: string;
  /** File name extension of a picture that other programs convert to PNG. */
  readonly extension?: string | undefined;
}

/** Bytes that `kindOf` looks at. */
export const START_BYTES = 512;

type Signature = readonly [
  signature: string,
  offset: number,
  id: FileKind['id'],
  description: string,
  extension?: string,
];

/** Signatures with their byte offsets; the first that fits counts. */
const SIGNATURES: readonly Signature[] = [
  ['\x89PNG', 0, 'png', 'is a PNG'],
  ['\xff\xd8', 0, 'jpeg', 'is a JPEG'],
  ['GIF8', 0, 'other', 'is a GIF', 'gif'],
  ['WEBP', 8, 'other', 'is a WebP file', 'webp'],
  ['BM', 0, 'other', 'is a BMP file', 'bmp'],
  ['II*\0', 0, 'other', 'is a TIFF file', 'tif'],
  ['MM\0*', 0, 'other', 'is a TIFF file', 'tif'],
  ['ftypavif', 4, 'other', 'is an AVIF file', 'avif'],
  ['ftypavis', 4, 'other', 'is an AVIF file', 'avif'],
  ['ftyphev', 4, 'other', 'is a HEIC file', 'heic'],
  ['ftyphei', 4, 'other', 'is a HEIC file', 'heic'],
  ['ftypmif1', 4, 'other', 'is a HEIC file', 'heic'],
  ['ftyp', 4, 'other', 'is a video'],
  ['\xff\x0a', 0, 'other', 'is a JPEG XL file', 'jxl'],
  ['JXL ', 4, 'other', 'is a JPEG XL file', 'jxl'],
  ['jP  ', 4, 'other', 'is a JPEG 2000 file', 'jp2'],
  ['\0\0\x01\0', 0, 'other', 'is an ICO file', 'ico'],
  ['%PDF', 0, 'other', 'is a PDF', 'pdf'],
  ['\x1f\x8b', 0, 'gzip', 'is a gzip file'],
  ['PK\x03\x04', 0, 'packed', 'is a ZIP archive'],
  ['BZh', 0, 'packed', 'is a bzip2 file'],
  ['\xfd7zXZ\0', 0, 'packed', 'is an xz file'],
  ['\x28\xb5\x2f\xfd', 0, 'packed', 'is a Zstandard file'],
  ['7z\xbc\xaf\x27\x1c', 0, 'packed', 'is a 7z archive'],
  ['Rar!\x1a\x07', 0, 'packed', 'is a RAR archive'],
  ['LZIP', 0, 'packed', 'is an lzip file'],
  ['\x04\x22\x4d\x18', 0, 'packed', 'is an LZ4 file'],
  ['\x1f\x9d', 0, 'packed', 'is a file of the Unix program compress'],
  ['\x93NUMPY', 0, 'other', 'is a NumPy array (.npy)'],
  ['MATLAB ', 0, 'other', 'is a MATLAB file (.mat)'],
  ['\x89HDF\r\n', 0, 'other', 'is an HDF5 file'],
  ['PAR1', 0, 'parquet', 'is a Parquet file'],
  ['ARROW1', 0, 'other', 'is an Arrow file'],
  ['\xff\xff\xff\xff', 0, 'other', 'is an Arrow file'],
  ['\0\0\0\0{"', 4, 'other', 'is a safetensors file'],
  ...['\x02', '\x03', '\x04', '\x05'].map((protocol): Signature => [`\x80${protocol}`, 0, 'pickle', 'is a pickle']),
  ['(dp', 0, 'pickle', 'is a pickle'],
  ['version https://git-lfs', 0, 'pointer', 'is only a pointer of Git LFS to the file'],
];

/** Kinds that begin in several ways. */
const PATTERNS: readonly (readonly [pattern: RegExp, id: FileKind['id'], description: string, extension?: string])[] = [
  // A ZIP archive whose first file is an array: its name follows 30 bytes of numbers.
  [/^PK.{28}[^/]*?\.npy/s, 'other', 'is a NumPy archive (.npz)'],
  [/^\s*<(\?xml|!--|svg).*<svg/s, 'other', 'is an SVG', 'svg'],
  [/^(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)*<(!doctype html|html|head|body|script|meta)/is, 'page', 'is an HTML page'],
  [/^(\xef\xbb\xbf)?\s*<\?xml/, 'page', 'is an XML document'],
];

/** Recognises a file by its first bytes, START_BYTES or all that there are; undefined if they are of no known kind. */
export function kindOf(start: Uint8Array): FileKind | undefined {
  if (start.length === 0) return { id: 'empty', description: 'is empty' };
  const text = Buffer.from(start.subarray(0, START_BYTES)).toString('latin1');
  const pattern = PATTERNS.find(([pattern]) => pattern.test(text));
  if (pattern) return { id: pattern[1], description: pattern[2], extension: pattern[3] };
  const signature = SIGNATURES.find(([signature, offset]) => text.startsWith(signature, offset));
  if (signature) return { id: signature[2], description: signature[3], extension: signature[4] };
  if (isTar(text)) return { id: 'tar', description: 'is a tar archive' };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters distinguish binary data from text.
  return /[\0-\x08\x0e-\x1a\x1c-\x1f]/.test(text) ? undefined : { id: 'text', description: 'looks like text' };
}

/** Describes a file of any kind by its first bytes; completes a sentence that begins with its name. */
export function describeStart(start: Uint8Array): string {
  const first = [...start.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0'));
  return kindOf(start)?.description ?? `has an unknown format: it begins with the bytes ${first.join(' ')}`;
}

/** Whether a file begins with a tar header: with its name, and with the sum of its bytes as six octal digits.
 *  Source: POSIX.1-2017, pax, "ustar Interchange Format". */
function isTar(text: string): boolean {
  const [FROM, TO] = [148, 156]; // the field of the sum, which counts as spaces
  if (text.length < START_BYTES) return false;
  const header = `${text.slice(0, FROM)}${' '.repeat(TO - FROM)}${text.slice(TO)}`;
  let sum = 0;
  for (let i = 0; i < START_BYTES; i++) sum += header.charCodeAt(i);
  return Number.parseInt(text.slice(FROM, TO).trim(), 8) === sum;
}
