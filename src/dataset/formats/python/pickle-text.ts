import { PickleError } from './pickle-values.ts';

/** Decodes Python's raw-unicode-escape encoding: Latin-1, with \uXXXX and \UXXXXXXXX for all other characters. */
export function rawUnicodeEscape(line: Buffer): string {
  return line.toString('latin1').replace(/\\u([\da-fA-F]{4})|\\U([\da-fA-F]{8})/g, (_, short, long) => {
    const code = Number.parseInt(short ?? long, 16);
    if (code > 0x10ffff) throw new PickleError(`has a string with the invalid character 0x${code.toString(16)}`);
    return String.fromCodePoint(code);
  });
}

const BACKSLASH = 0x5c;
const QUOTES = [0x27, 0x22];
const ESCAPES: Readonly<Record<number, number>> = { 92: 0x5c, 39: 0x27, 34: 0x22, 110: 10, 114: 13, 116: 9 };
const HEX = 0x78;

/** Decodes a Python 2 `str` literal: quoted, with the escapes \n, \r, \t, \\, \', \" and \xNN. */
export function stringLiteral(line: Buffer): Uint8Array {
  const quote = line[0];
  if (!QUOTES.includes(quote) || line.length < 2 || line.at(-1) !== quote) {
    throw new PickleError('is damaged: a string has no quotes');
  }
  const bytes = new Uint8Array(line.length - 2);
  let length = 0;
  for (let at = 1; at < line.length - 1; at++) {
    let byte: number | undefined = line[at];
    if (byte === BACKSLASH) {
      at++;
      if (line[at] === HEX) {
        byte = hexByte(line, at + 1);
        at += 2;
      } else byte = ESCAPES[line[at]];
      if (byte === undefined || at >= line.length - 1) {
        throw new PickleError('is damaged: a string has an unknown escape');
      }
    }
    bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}

function hexByte(line: Buffer, at: number): number | undefined {
  const [high, low] = [hexDigit(line[at]), hexDigit(line[at + 1])];
  return high === undefined || low === undefined ? undefined : 16 * high + low;
}

function hexDigit(code: number | undefined): number | undefined {
  if (code === undefined) return undefined;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : undefined;
}
