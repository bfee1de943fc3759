import { describe, expect, it } from 'vitest';
import { parseJson } from '../../src/documents/json.ts';

const read = (content: string | Uint8Array) => parseJson(Buffer.from(content as Uint8Array));

describe('a JSON file', () => {
  const text = '{"model": "mlp", "name": "β☃"}';

  it('is read in UTF-8 and UTF-16, with and without a byte order mark', async () => {
    for (const content of [text, `\uFEFF${text}`]) {
      const littleEndian = Buffer.from(content, 'utf16le');
      for (const bytes of [Buffer.from(content), littleEndian, Buffer.from(littleEndian).swap16()]) {
        expect(await read(bytes)).toEqual({ model: 'mlp', name: 'β☃' });
      }
    }
  });

  it.each([
    ['', 'it is empty'],
    [' \n', 'it is empty'],
    ['model: mlp\nlr: 0.05\n', 'it looks like YAML, wanted JSON'],
    ['---\n- 1\n', 'it looks like YAML, wanted JSON'],
    ['# hyperparameters\nlr = 0.05\n', 'it looks like TOML or an INI file, wanted JSON'],
    ['<!doctype html>', 'it looks like HTML or XML, wanted JSON'],
    [Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d]), 'it is a PNG, wanted JSON'],
    [Buffer.from('{"name": "\xe9"}', 'latin1'), 'it is not text in UTF-8 or UTF-16; save it in UTF-8'],
    ['\x01\0\0\0{}', 'it has an unknown format: it begins with the bytes 01 00 00 00, wanted JSON'],
    ['{', 'it is not JSON at line 1, column 2: wanted "}" or a text in double quotes, got the end of the file, in: {'],
    ['{\n  "lr": 0.05,\n}\n', 'it is not JSON at line 3, column 1: wanted a text in double quotes, got "}", in: }'],
    [
      '{\r\n  "lr": 0.05\r\n  "model": "mlp"\r\n}',
      'it is not JSON at line 3, column 3: wanted "}" or ",", got "\\"", in: "model": "mlp"',
    ],
    [
      "{'lr': 1}",
      'it is not JSON at line 1, column 2: wanted "}" or a text in double quotes, got "\'", in: {\'lr\': 1}',
    ],
    ['{"lr": .5}', 'it is not JSON at line 1, column 8: wanted a value, got ".", in: {"lr": .5}'],
    ['{"lr": NaN}', 'it is not JSON at line 1, column 8: wanted a value, got "NaN", in: {"lr": NaN}'],
    ['{"lr": 1} // fast', 'it is not JSON at line 1, column 11: wanted end of input, got "/", in: {"lr": 1} // fast'],
    [
      `{"text": "${'x'.repeat(99)}", lr: 1}`,
      'it is not JSON at line 1, column 113: wanted a text in double quotes, got "lr"',
    ],
  ])('%j: %s', async (content, message) => {
    const error = await read(content).then(
      () => undefined,
      (thrown: Error) => thrown.message,
    );
    expect(error).toBe(message);
  });
});
