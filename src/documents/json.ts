import { describeStart, kindOf } from '../file-kinds.ts';
import { ReadError } from '../files.ts';

/** Largest configuration file that is read; one has a few hundred bytes. */
export const MAX_FILE_BYTES = 1 << 20;
/** Lines up to this length are quoted in an error. */
const MAX_QUOTED = 80;

/** Parses JSON in UTF-8 or UTF-16.
 *  @throws ReadError that says where the text is not JSON, or what it seems to be instead. */
export async function parseJson(bytes: Uint8Array): Promise<unknown> {
  const text = decodeText(bytes, 'JSON');
  try {
    return JSON.parse(text);
  } catch (error) {
    const format = /^\s*[{["]/.test(text) ? undefined : seemingFormat(text);
    if (format) throw new ReadError(`it looks like ${format}, wanted JSON`);
    throw new ReadError((await syntaxError(text)) ?? (error as Error).message);
  }
}

/** Decodes UTF-8, or UTF-16 as PowerShell 5 and other programs of Windows write it, with or without a byte order mark.
 *  Source for UTF-16 without a mark: RFC 4627, section 3; JSON begins with two ASCII characters.
 *  @param wanted name of the format.
 *  @throws ReadError if the bytes are not text, or have none. */
export function decodeText(bytes: Uint8Array, wanted: string): string {
  const text = decode(bytes);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters distinguish binary data from text.
  if (text === undefined || /[\0-\x08\x0e-\x1a]/.test(text)) throw notText(bytes, wanted);
  if (text.trim() === '') throw new ReadError('it is empty');
  return text;
}

/** The text; undefined if the bytes are not valid. */
function decode(bytes: Uint8Array): string | undefined {
  const [first, second] = bytes;
  const isUtf16 = bytes.length >= 2 && bytes.length % 2 === 0;
  const littleEndian = isUtf16 && ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0));
  const bigEndian = isUtf16 && ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0));
  const encoding = littleEndian ? 'utf-16le' : bigEndian ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function notText(bytes: Uint8Array, wanted: string): ReadError {
  const isText = kindOf(bytes)?.id === 'text';
  return new ReadError(
    isText ? 'it is not text in UTF-8 or UTF-16; save it in UTF-8' : `it ${describeStart(bytes)}, wanted ${wanted}`,
  );
}

/** The format of which a text seems to be; undefined if it cannot be told. */
export function seemingFormat(text: string): 'HTML or XML' | 'YAML' | 'TOML or an INI file' | undefined {
  const start = text.trimStart();
  if (start.startsWith('<')) return 'HTML or XML';
  if (/^(---|[\w-]+:(\s|$))/m.test(start)) return 'YAML';
  if (/^(\[[^\]\n]*\]\s*$|[\w.-]+\s*=)/m.test(start)) return 'TOML or an INI file';
  return undefined;
}

/** Describes the first error; undefined if the grammar has none. The messages of JSON.parse depend on the version of Node,
 *  and most name no line. */
async function syntaxError(text: string): Promise<string | undefined> {
  const ohm = await import('ohm-js');
  grammar ??= ohm.grammar(GRAMMAR);
  const match = grammar.match(text);
  if (match.succeeded()) return undefined;
  const failed = match as import('ohm-js').FailedMatchResult;
  const at = failed.getRightmostFailurePosition();
  const [rest] = /^(\w+|.?)/su.exec(text.slice(at))!;
  const got = rest === '' ? 'the end of the file' : JSON.stringify(rest);
  const { place, quoted } = placeIn(text, at);
  return `it is not JSON at ${place}: wanted ${summary(failed.getExpectedText())}, got ${got}${quoted}`;
}

/** Line and column of a character, and `, in: ` with its line if that is short. */
export function placeIn(text: string, at: number): { place: string; quoted: string } {
  const before = text.slice(0, at).split(/\r\n|\n|\r/);
  const line = `${before.at(-1)}${text.slice(at).split(/\r\n|\n|\r/, 1)[0]}`;
  return {
    place: `line ${before.length}, column ${before.at(-1)!.length + 1}`,
    quoted: line.trim() !== '' && line.length <= MAX_QUOTED ? `, in: ${line.trim()}` : '',
  };
}

/** @param tokens those that could have followed, as a list. */
function summary(tokens: string): string {
  if (!tokens.includes('a number')) return tokens;
  return tokens.includes('"]"') ? 'a value or "]"' : 'a value';
}

let grammar: import('ohm-js').Grammar | undefined;

/** Source: RFC 8259. */
const GRAMMAR = String.raw`
  Json {
    Text = Value end
    Value = Object | Array | string | number | "true" | "false" | "null"
    Object = "{" Members "}" -- full
           | "{" "}"         -- empty
    Members = Member ("," Member)*
    Member = string ":" Value
    Array = "[" Values "]" -- full
          | "[" "]"        -- empty
    Values = Value ("," Value)*
    string (a text in double quotes) = "\"" (escape | ~("\"" | "\\" | "\u{0}".."\u{1F}") any)* "\""
    escape = "\\" (code | "\"" | "\\" | "/" | "b" | "f" | "n" | "r" | "t")
    code = "u" hexDigit hexDigit hexDigit hexDigit
    number (a number) = "-"? whole fraction? exponent?
    whole = "0" | leading
    leading = "1".."9" digit*
    fraction = "." digit+
    exponent = ("e" | "E") ("+" | "-")? digit+
    space := " " | "\t" | "\n" | "\r"
  }
`;
