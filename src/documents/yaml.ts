import type { CST, Document, ErrorCode, YAMLError } from 'yaml';
import { ReadError } from '../files.ts';
import { decodeText, placeIn, seemingFormat } from './json.ts';

/** Lists and maps in one another. */
const MAX_DEPTH = 100;

/** To compare each key with all others, as uniqueKeys does, takes minutes for a large file. */
const OPTIONS = { resolveKnownTags: false, stringKeys: true, uniqueKeys: false };

/** Parses one document of YAML 1.2, of which JSON is a part, in UTF-8 or UTF-16: an object or an array, with strings as keys. It
 *  is what JSON could hold, but for numbers that are infinite or NaN. Aliases are refused: a few lines of them can stand for more
 *  data than fit in memory, or for themselves.
 *  @throws ReadError that says where the text is not such YAML, or what it seems to be instead. */
export async function parseYaml(bytes: Uint8Array): Promise<unknown> {
  const text = decodeText(bytes, 'YAML');
  const yaml = await import('yaml');
  const document = compose(text, yaml);
  const [error] = [...document.errors, ...document.warnings];
  const problem = error ? { at: error.pos[0], what: inWords(error) } : problemIn(document, yaml);
  if (problem) throw refusal(text, problem.at, problem.what);
  const value: unknown = document.toJS();
  if (value === null) throw new ReadError('it is empty');
  if (typeof value !== 'object') throw refusal(text, 0, 'wanted "name: value" or a list');
  return value;
}

/** Composes one document. */
function compose(text: string, { Composer, Lexer, Parser }: typeof import('yaml')): Document.Parsed {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    // What follows is recursive, and an overflow of the stack can end the process.
    if (parser.stack.length > MAX_DEPTH) throw refusal(text, parser.offset, 'it is nested too deeply');
  }
  tokens.push(...parser.end());
  const [document, second] = new Composer(OPTIONS).compose(tokens, true, text.length);
  if (second) throw refusal(text, second.range[0], 'a second document begins, wanted one');
  return document;
}

function refusal(text: string, at: number, problem: string): ReadError {
  const format = seemingFormat(text);
  if (format && format !== 'YAML') return new ReadError(`it looks like ${format}, wanted YAML`);
  const { place, quoted } = placeIn(text, at);
  return new ReadError(`it is not YAML at ${place}: ${problem}${quoted}`);
}

const WORDS: { readonly [Code in ErrorCode]?: string } = {
  NON_STRING_KEY: 'a key is not a text',
  TAG_RESOLVE_FAILED: 'tags are not supported',
};

function inWords({ code, message }: YAMLError): string {
  return WORDS[code] ?? `${message[0].toLowerCase()}${message.slice(1)}`;
}

/** The first alias, and the first key that is in its map twice. */
function problemIn(document: Document, yaml: typeof import('yaml')): { at: number; what: string } | undefined {
  let problem: { at: number; what: string } | undefined;
  const found = (node: unknown, what: string) => {
    problem = { at: (node as { range?: [number] }).range?.[0] ?? 0, what };
    return yaml.visit.BREAK;
  };
  yaml.visit(document, {
    Alias: (_, alias) => found(alias, 'aliases are not supported; write the value out'),
    Map(_, { items }) {
      const keys = new Set<string>();
      for (const { key } of items) {
        if (keys.has(String(key))) return found(key, 'the key is given twice');
        keys.add(String(key));
      }
    },
  });
  return problem;
}
