import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { decodeSafetensors } from '../../src/weights/decode.ts';
import { encodeSafetensors, type NamedTensor, type SafetensorsFile } from '../../src/weights/safetensors.ts';

const HUGGING_FACE = new Uint8Array(readFileSync(new URL('../fixtures/hugging-face.safetensors', import.meta.url)));

const tensors = new Map<string, NamedTensor>([
  ['linear.weight', { shape: [2, 3], values: Float32Array.of(-0.25, -0.125, 0, 0.125, 0.25, 0.375) }],
  ['linear.bias', { shape: [2], values: Float32Array.of(1e-3, -1e30) }],
  ['scalar', { shape: [], values: Float32Array.of(2.5) }],
]);
const metadata = { progress: '{"step": 3}' };

describe('safetensors', () => {
  it('decodes a file written by Hugging Face', () => {
    expect(decodeSafetensors(HUGGING_FACE, 'file')).toEqual({ tensors, metadata });
  });

  it('encodes the same bytes as Hugging Face', () => {
    expect(encodeSafetensors({ tensors, metadata })).toEqual(HUGGING_FACE);
  });

  it('decodes whatever it encodes', () => {
    const tensor = fc
      .array(fc.nat({ max: 4 }), { maxLength: 3 })
      .chain((shape) =>
        fc
          .float32Array({ minLength: shape.reduce((a, b) => a * b, 1), maxLength: shape.reduce((a, b) => a * b, 1) })
          .map((values) => ({ shape, values })),
      );
    const name = fc.string({ unit: 'grapheme' }).filter((text) => text !== '__metadata__' && text !== '__proto__');
    const texts = fc.dictionary(
      fc.string().filter((text) => text !== '__proto__'),
      fc.string(),
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, tensor)), texts, (entries, metadata) => {
        const file = { tensors: new Map(entries), metadata };
        expect(decodeSafetensors(encodeSafetensors(file), 'file')).toEqual(file);
      }),
    );
  });

  it('refuses a file truncated at any byte, with a message', () => {
    for (let length = 0; length < HUGGING_FACE.length; length++) {
      expect(() => decodeSafetensors(HUGGING_FACE.subarray(0, length), 'run/last.safetensors')).toThrow(UserError);
    }
    expect(() => decodeSafetensors(HUGGING_FACE.subarray(0, 20), 'run/last.safetensors')).toThrow(
      /run\/last\.safetensors is not a complete safetensors file .* its header ends at byte \d+, but the file has 20 bytes/,
    );
  });

  it('decodes a file at any offset in memory, without a copy where it is aligned', () => {
    const memory = new Uint8Array(HUGGING_FACE.length + 8);
    for (let offset = 0; offset < 8; offset++) {
      const file = memory.subarray(offset, offset + HUGGING_FACE.length);
      file.set(HUGGING_FACE);
      const decoded = decodeSafetensors(file, 'file');
      expect(decoded).toEqual({ tensors, metadata });
      expect(decoded.tensors.get('scalar')!.values.buffer === memory.buffer).toBe(offset % 4 === 0);
    }
  });

  it('accepts what the reference implementation accepts', () => {
    const accepted = (header: string, bytes: number) => [...decodeSafetensors(withHeader(header, bytes), 'f').tensors];
    const a = '{"dtype":"F32","shape":[1],"data_offsets":[4,8]}';
    const b = '{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}';
    const empty = '{"dtype":"F32","shape":[3,0],"data_offsets":[4,4]}';
    const values = Float32Array.of(0);
    const [, , last] = accepted(` {"a":${a} ,\n"e": ${empty},"\\u0062":${b}}  `.trimStart(), 8);
    expect(last).toEqual(['b', { shape: [1, 1], values }]);
    expect(accepted('{}', 0)).toEqual([]);
    expect(accepted('{"__metadata__":{"constructor":"x"}}', 0)).toEqual([]);
    expect(accepted(`{"constructor":${b},"__proto__":${a}}`, 8).map(([name]) => name)).toEqual([
      'constructor',
      '__proto__',
    ]);
  });

  it.each<[header: string, bytes: number, problem: string | RegExp]>([
    ['{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}', 4, "tensor 'a' has dtype F16, wanted F32"],
    ['{"a":{"dtype":{},"shape":[1],"data_offsets":[0,4]}}', 4, "tensor 'a': 'dtype' is {}, wanted a string"],
    ['{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}}', 6, "'shape.0' is 1.5, wanted an integer ≥ 0"],
    ['{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}', 4, "'shape.0' is -1, wanted an integer ≥ 0"],
    ['{"a":{"dtype":"F32","shape":"1","data_offsets":[0,4]}}', 4, "'shape' is '1', wanted an array"],
    ['{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', 4, "tensor 'a' has 4 bytes, wanted 8 for [2]"],
    ['{"a":{"dtype":"F32","shape":[1e300,1e300,0],"data_offsets":[0,0]}}', 0, 'wanted an integer ≥ 0'],
    ['{"a":{"dtype":"F32","shape":[1],"data_offsets":[0.5,4.5]}}', 5, "'data_offsets.0' is 0.5, wanted an integer ≥ 0"],
    ['{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}', 4, "'data_offsets.0' is -4, wanted an integer ≥ 0"],
    ['{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4,8]}}', 4, "'data_offsets"],
    ['{"a":{"dtype":"F32","shape":[1]}}', 4, "tensor 'a': 'data_offsets' is missing"],
    ['{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', 8, "tensor 'a' begins at byte 4 of the data, wanted 0"],
    ['{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 8, 'its tensors have 4 bytes, but the file has 8'],
    ['{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 4, 'its tensors have 8 bytes, but the file has 4'],
    ['{"a":null}', 0, "tensor 'a': it is null, wanted an object"],
    ['{"a":[]}', 0, "tensor 'a': 'dtype' is missing"],
    ['{"__metadata__":null}', 0, '__metadata__: it is null, wanted an object of strings'],
    ['{"__metadata__":["x"]}', 0, "__metadata__: it is [ 'x' ], wanted an object of strings"],
    ['{"__metadata__":{"progress":{}}}', 0, 'wanted an object of strings'],
    ['[1]', 0, 'its header does not begin with {'],
    [' {}', 0, 'its header does not begin with {'],
    ['\uFEFF{}', 0, 'its header does not begin with {'],
    ['null', 0, 'its header does not begin with {'],
    ['{"a":', 0, 'its header is not JSON'],
    // Too deep for the parser of older versions of Node.
    [`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 0, /its header is not JSON|'dtype' is missing/],
  ])('refuses header %#', (header, bytes, problem) => {
    refused(withHeader(header, bytes), problem);
  });

  it('refuses a name that appears twice', () => {
    const entry = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';
    for (const header of [
      `{"a":${entry},"a":${entry}}`,
      `{"a":${entry},"\\u0061":${entry}}`,
      '{"__metadata__":{"progress":"1","progress":"2"}}',
      '{"__metadata__":{"a\\":":"\\\\"},"__metadata__":{}}',
      '{"a":{"dtype":"F16","dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
    ]) {
      refused(withHeader(header, 4), 'a name appears twice in its header');
    }
  });

  it('refuses tensors that share their bytes before it allocates any', () => {
    const entry = '{"dtype":"F32","shape":[32768],"data_offsets":[0,131072]}';
    const header = `{${Array.from({ length: 20_000 }, (_, i) => `"${i}":${entry}`).join()}}`;
    refused(withHeader(header, 131072), "tensor '1' begins at byte 0 of the data, wanted 131072");
  });

  it('refuses a header that is longer than the format allows', () => {
    refused(Uint8Array.of(1, 0xe1, 0xf5, 5, 0, 0, 0, 0), 'its header has 100000001 bytes, wanted at most 100000000');
    refused(new Uint8Array(8).fill(255), 'wanted at most 100000000');
  });

  it('refuses a file with a byte changed, or decodes what another writer could have written', () => {
    const change = fc.record({ at: fc.nat({ max: HUGGING_FACE.length - 1 }), to: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(change, ({ at, to }) => {
        const file = HUGGING_FACE.with(at, to);
        let decoded: SafetensorsFile;
        try {
          decoded = decodeSafetensors(file, 'file');
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
          return;
        }
        expect(decodeSafetensors(encodeSafetensors(decoded), 'file')).toEqual(decoded);
        const numbers = [...decoded.tensors.values()].reduce((sum, { values }) => sum + values.length, 0);
        expect(numbers).toBe(9);
      }),
      { numRuns: 1000 },
    );
  });
});

/** A file with this header and zeros for the values. */
function withHeader(header: string, bytes: number): Uint8Array {
  const json = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + json.length + bytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

function refused(file: Uint8Array, problem: string | RegExp): void {
  let error: unknown;
  try {
    decodeSafetensors(file, 'run/last.safetensors');
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(UserError);
  expect(() => {
    throw error;
  }).toThrow(problem);
}
