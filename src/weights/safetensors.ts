import { sizeOf } from '../backends/backend.ts';
import { UserError } from '../errors.ts';

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

const METADATA = '__metadata__';

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

/** Decodes a safetensors file of float32 tensors.
 *  @param name of the file, for error messages.
 *  @throws UserError if the file is truncated, malformed or contains another dtype. */
export function decodeSafetensors(file: Uint8Array, name: string): SafetensorsFile {
  const fail = (problem: string): never => {
    throw new UserError(`${name} is not a complete safetensors file of float32 tensors: ${problem}`);
  };
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 8) fail(`it has ${file.length} bytes, wanted at least 8`);
  const start = 8 + Number(view.getBigUint64(0, true));
  if (start > file.length) fail(`its header ends at byte ${start}, but the file has ${file.length} bytes`);
  const header = parseHeader(file.subarray(8, start)) ?? fail('its header is not JSON');
  const tensors = new Map<string, NamedTensor>();
  for (const [key, entry] of Object.entries(header.entries)) {
    const [from, to] = entry.data_offsets ?? fail(`tensor '${key}' has no offsets`);
    if (entry.dtype !== 'F32') fail(`tensor '${key}' has dtype ${entry.dtype}, wanted F32`);
    const size = 4 * sizeOf(entry.shape);
    if (to - from !== size) fail(`tensor '${key}' has ${to - from} bytes, wanted ${size} for [${entry.shape}]`);
    if (from < 0 || start + to > file.length) {
      fail(`tensor '${key}' has bytes ${start + from} to ${start + to}, but the file has ${file.length}`);
    }
    const values = new Float32Array((to - from) / 4);
    for (let i = 0; i < values.length; i++) values[i] = view.getFloat32(start + from + 4 * i, true);
    tensors.set(key, { shape: entry.shape, values });
  }
  return { tensors, metadata: header.metadata };
}

function parseHeader(
  bytes: Uint8Array,
): { metadata: Record<string, string>; entries: Record<string, HeaderEntry> } | undefined {
  try {
    const { [METADATA]: metadata = {}, ...entries } = JSON.parse(new TextDecoder().decode(bytes));
    return { metadata, entries };
  } catch {
    return undefined;
  }
}
