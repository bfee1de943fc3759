import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { CompressionCodec, Compressors } from 'hyparquet';
import { integer } from '../../format.ts';

/** Maximum decompressed size of a page, which normally has a few megabytes. Larger pages are not decompressed. */
const MAX_PAGE_BYTES = 256 * 2 ** 20;

/** Codecs that pages of images may be compressed with. */
export const CODECS: readonly CompressionCodec[] = [
  'UNCOMPRESSED',
  'SNAPPY',
  'GZIP',
  'BROTLI',
  'ZSTD',
  'LZ4',
  'LZ4_RAW',
];

type Decompress = (page: Uint8Array, byteCount: number) => Uint8Array;

/** Functions that decompress the pages of a file. @param codecs those that the file uses. */
export async function decompressors(codecs: ReadonlySet<CompressionCodec>): Promise<Compressors> {
  const { snappyUncompress } = await import('hyparquet');
  const functions: Record<string, Decompress> = {
    SNAPPY: (page, byteCount) => {
      const output = new Uint8Array(byteCount);
      snappyUncompress(page, output);
      return output;
    },
    GZIP: (page, maxOutputLength) => gunzipSync(page, { maxOutputLength }),
    BROTLI: (page, maxOutputLength) => brotliDecompressSync(page, { maxOutputLength }),
  };
  if (codecs.has('ZSTD') || codecs.has('LZ4') || codecs.has('LZ4_RAW')) {
    // Imported on demand: few files need it, and it starts WebAssembly.
    const { decompressLz4, decompressLz4Raw, decompressZstd } = await import('hyparquet-compressors');
    functions.ZSTD = (page, byteCount) => decompressZstd(page, new Uint8Array(byteCount));
    functions.LZ4 = decompressLz4;
    functions.LZ4_RAW = decompressLz4Raw;
  }
  return Object.fromEntries(Object.entries(functions).map(([codec, decompress]) => [codec, bounded(decompress)]));
}

function bounded(decompress: Decompress): Decompress {
  return (page, byteCount) => {
    if (byteCount > MAX_PAGE_BYTES) {
      throw new ParquetError(`a page has ${integer(byteCount)} bytes, wanted at most ${integer(MAX_PAGE_BYTES)}`);
    }
    return decompress(page, byteCount);
  };
}

/** Reason why a Parquet file cannot be read. The message completes 'FILE is damaged: …'. */
export class ParquetError extends Error {
  override readonly name = 'ParquetError';
}
