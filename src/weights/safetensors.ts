/** Named float32 tensors with text metadata. */
export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, NamedTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface NamedTensor {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float32Array;
}

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Name of the header's entry that is not a tensor. */
export const METADATA = '__metadata__';

/** Encodes tensors as a safetensors file: the length of the header (8 bytes, little-endian); the header as JSON, padded
 *  with spaces to a multiple of 8 bytes; the values, little-endian, sorted by tensor name, without gaps.
 *  Source: format description in github.com/huggingface/safetensors. */
export function encodeSafetensors({ tensors, metadata }: SafetensorsFile): Uint8Array {
  const names = [...tensors.keys()].sort();
  const header: Record<string, HeaderEntry | Record<string, string>> = {};
  if (Object.keys(metadata).length > 0) header[METADATA] = { ...metadata };
  let end = 0;
  for (const name of names) {
    const { shape, values } = tensors.get(name)!;
    header[name] = { dtype: 'F32', shape, data_offsets: [end, (end += 4 * values.length)] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const start = 8 + Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(start + end).fill(0x20, 8 + json.length, start);
  file.set(json, 8);
  const view = new DataView(file.buffer);
  view.setBigUint64(0, BigInt(start - 8), true);
  let at = start;
  for (const name of names) {
    for (const value of tensors.get(name)!.values) {
      view.setFloat32(at, value, true);
      at += 4;
    }
  }
  return file;
}
