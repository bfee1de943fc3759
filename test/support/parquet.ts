import { createRequire } from 'node:module';
import { Binary, Field, Int64, Struct, Table, tableToIPC, Utf8, type Vector, vectorFromArray } from 'apache-arrow';
import type * as ParquetWasm from 'parquet-wasm/node';

const wasm: typeof ParquetWasm = createRequire(import.meta.url)('parquet-wasm/node');

/** Codecs of Parquet, except LZO, which hardly any program writes or reads. */
export const CODECS = ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI', 'ZSTD', 'LZ4', 'LZ4_RAW'] as const;
type Codec = (typeof CODECS)[number];

/** A Parquet file with the columns of CIFAR-10 on Hugging Face. */
export function parquetFile(
  records: readonly { readonly label: number; readonly png: Uint8Array }[],
  codec: Codec = 'SNAPPY',
  rowGroup = 100,
): Uint8Array {
  const type = new Struct([new Field('bytes', new Binary(), true), new Field('path', new Utf8(), true)]);
  const img = records.map(({ png }, i) => ({ bytes: png, path: i % 2 ? `${i}.png` : null }));
  const label = records.map(({ label }) => BigInt(label));
  return writeParquet({ img: vectorFromArray(img, type), label: vectorFromArray(label, new Int64()) }, codec, rowGroup);
}

/** Writes columns with another library than the one that reads them. */
export function writeParquet(columns: Record<string, Vector>, codec: Codec = 'SNAPPY', rowGroup = 100): Uint8Array {
  const builder = new wasm.WriterPropertiesBuilder();
  const properties = builder.setCompression(wasm.Compression[codec]).setMaxRowGroupSize(rowGroup).build();
  return wasm.writeParquet(wasm.Table.fromIPCStream(tableToIPC(new Table(columns), 'stream')), properties);
}
