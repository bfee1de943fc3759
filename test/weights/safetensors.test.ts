import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from '../../src/weights/safetensors.ts';

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

  it('refuses other dtypes and offsets that do not fit', () => {
    const withHeader = (header: unknown) => {
      const json = new TextEncoder().encode(JSON.stringify(header));
      const file = new Uint8Array(8 + json.length + 4);
      new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
      file.set(json, 8);
      return file;
    };
    const refused = (header: unknown) => expect(() => decodeSafetensors(withHeader(header), 'f'));
    refused({ a: { dtype: 'F16', shape: [2], data_offsets: [0, 4] } }).toThrow("'a' has dtype F16, wanted F32");
    refused({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } }).toThrow("'a' has 4 bytes, wanted 8 for [2]");
    refused({ a: { dtype: 'F32', shape: [1], data_offsets: [4, 8] } }).toThrow("'a' has bytes");
    refused({ a: { dtype: 'F32', shape: [1], data_offsets: [-4, 0] } }).toThrow(UserError);
    refused({ a: { dtype: 'F32' } }).toThrow(UserError);
    refused([1, 2]).toThrow(UserError);
    refused(null).toThrow(UserError);
  });
});
