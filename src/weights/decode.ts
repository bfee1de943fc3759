import { endianness } from 'node:os';
import * as v from 'valibot';
import { sizeOf } from '../backends/backend.ts';
import { count, expectSchema, isObject } from '../documents/schema.ts';
import { UserError } from '../errors.ts';
import { METADATA, type SafetensorsFile } from './safetensors.ts';

/** Largest header that the format allows, in bytes. */
const MAX_HEADER = 100_000_000;

const ENTRY = v.object({
  dtype: v.string(),
  shape: v.array(count),
  data_offsets: v.strictTuple([count, count]),
});

const TEXTS = v.custom<Record<string, string>>(
  (value) => isObject(value) && Object.values(value).every((text) => typeof text === 'string'),
  'an object of strings',
);

const IS_LITTLE_ENDIAN = endianness() === 'LE';

/** Decodes a safetensors file of float32 tensors. Their values are views of `file` where its alignment permits.
 *
 *  Refuses what the reference implementation refuses: a header that is longer than 100 MB, is not UTF-8, does not begin with {
 *  or is not an object of tensors; tensors that leave a gap, overlap, do not fill the file, or whose shape does not give
 *  their size. Refuses a name that appears twice too, which the format forbids.
 *  @param name of the file, for error messages.
 *  @throws UserError if the file is truncated, malformed or contains another dtype.
 *  Source: format description and `Metadata::validate` in github.com/huggingface/safetensors. */
export function decodeSafetensors(file: Uint8Array, name: string): SafetensorsFile {
  const refuse = (problem: string) =>
    new UserError(`${name} is not a complete safetensors file of float32 tensors: ${problem}`);
  const { json, data } = split(file, refuse);
  const { [METADATA]: texts = {}, ...entries } = parseHeader(json, refuse);
  const described = Object.entries(entries).map(([key, value]) => {
    const entry = expectSchema(ENTRY, value, (problem) => refuse(`tensor '${key}': ${problem}`));
    return { key, ...entry };
  });
  expectContiguous(described, data.length, refuse);
  return {
    tensors: new Map(
      described.map(({ key, shape, data_offsets }) => [
        key,
        { shape, values: floatsOf(data.subarray(...data_offsets)) },
      ]),
    ),
    metadata: expectSchema(TEXTS, texts, (problem) => refuse(`${METADATA}: ${problem}`)),
  };
}

/** Reads the metadata of a safetensors file, without its tensors. @param readStart reads the first bytes of the file.
 *  @param name of the file, for error messages. @throws UserError if its header is truncated or malformed. */
export async function readMetadata(
  readStart: (count: number) => Promise<Uint8Array>,
  name: string,
): Promise<Readonly<Record<string, string>>> {
  const refuse = (problem: string) => new UserError(`${name} is not a safetensors file: ${problem}`);
  const header = await readStart(8 + headerLength(await readStart(8), refuse));
  const { [METADATA]: texts = {} } = parseHeader(split(header, refuse).json, refuse);
  return expectSchema(TEXTS, texts, (problem) => refuse(`${METADATA}: ${problem}`));
}

type Entry = v.InferOutput<typeof ENTRY> & { readonly key: string };
type Refuse = (problem: string) => UserError;

function split(file: Uint8Array, refuse: Refuse): { json: Uint8Array; data: Uint8Array } {
  const start = 8 + headerLength(file, refuse);
  if (start > file.length) throw refuse(`its header ends at byte ${start}, but the file has ${file.length} bytes`);
  return { json: file.subarray(8, start), data: file.subarray(start) };
}

function headerLength(file: Uint8Array, refuse: Refuse): number {
  if (file.length < 8) throw refuse(`it has ${file.length} bytes, wanted at least 8`);
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  if (length > MAX_HEADER) throw refuse(`its header has ${length} bytes, wanted at most ${MAX_HEADER}`);
  return length;
}

/** @throws UserError if the tensors, in the order of their offsets, do not cover the data exactly. */
function expectContiguous(entries: readonly Entry[], length: number, refuse: Refuse): void {
  let end = 0;
  const inOrder = entries.toSorted(({ data_offsets: a }, { data_offsets: b }) => a[0] - b[0] || a[1] - b[1]);
  for (const { key, dtype, shape, data_offsets } of inOrder) {
    const [from, to] = data_offsets;
    if (dtype !== 'F32') throw refuse(`tensor '${key}' has dtype ${dtype}, wanted F32`);
    const size = 4 * sizeOf(shape);
    if (to - from !== size) throw refuse(`tensor '${key}' has ${to - from} bytes, wanted ${size} for [${shape}]`);
    if (from !== end) throw refuse(`tensor '${key}' begins at byte ${from} of the data, wanted ${end}`);
    end = to;
  }
  if (end !== length) throw refuse(`its tensors have ${end} bytes, but the file has ${length} for them`);
}

function parseHeader(bytes: Uint8Array, refuse: Refuse): Record<string, unknown> {
  let header: unknown;
  let areNamesUnique: boolean;
  if (bytes[0] !== '{'.charCodeAt(0)) throw refuse('its header does not begin with {');
  try {
    const json = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    header = JSON.parse(json);
    // JSON.parse keeps the last value of a name.
    areNamesUnique = countNames(json) === countNames(JSON.stringify(header));
  } catch {
    throw refuse('its header is not JSON');
  }
  if (!areNamesUnique) throw refuse('a name appears twice in its header');
  return header as Record<string, unknown>;
}

/** Number of names in the objects of a valid JSON text: of strings that a colon follows. */
function countNames(json: string): number {
  const outsideStrings = json
    .replaceAll(/\\./g, '')
    .split('"')
    .filter((_, i) => i % 2 === 0);
  return outsideStrings.filter((text) => text.trimStart().startsWith(':')).length;
}

function floatsOf(data: Uint8Array): Float32Array {
  const length = data.length / 4;
  if (IS_LITTLE_ENDIAN && data.byteOffset % 4 === 0) return new Float32Array(data.buffer, data.byteOffset, length);
  const view = new DataView(data.buffer, data.byteOffset);
  return Float32Array.from({ length }, (_, i) => view.getFloat32(4 * i, true));
}
