import * as ohm from 'ohm-js';
import { UsageError } from '../../errors.ts';

/** Syntax tree of a formula, with the position of each part in the text. */
export interface Formula {
  readonly text: string;
  readonly statements: readonly Statement[];
}

export interface Statement {
  /** Name in `name = …`. */
  readonly name?: string;
  readonly value: Expression;
  readonly at: number;
}

/** `at` is the position of a leaf, an operator or a function's name. */
export type Expression =
  | { readonly kind: 'number'; readonly value: number; readonly at: number }
  | { readonly kind: 'array'; readonly value: unknown; readonly text: string; readonly at: number }
  | { readonly kind: 'name'; readonly name: string; readonly at: number }
  | { readonly kind: 'apply'; readonly name: string; readonly operands: readonly Expression[]; readonly at: number };

/** Precedence, lowest first: + −; * /; signs; ^, which takes a signed exponent and so is right-associative. */
const GRAMMAR = ohm.grammar(`
  Formula {
    Statements = NonemptyListOf<Statement, ";"> ";"?
    Statement = name "=" Sum -- named
              | Sum          -- unnamed
    Sum = Sum plus Product -- binary
        | Product
    Product = Product times Factor -- binary
            | Factor
    Factor = sign Factor -- signed
           | Power
    Power = Atom power Factor -- binary
          | Atom
    Atom = "(" Sum ")"                  -- group
         | name "(" ListOf<Sum, ","> ")" -- call
         | name   -- name
         | Array  -- array
         | number -- number
    Array = "[" ListOf<Element, ","> "]"
    Element = Array | entry
    entry = minus? number
    plus = "+" | minus
    times = ".*" | "⊙" | "*" ~"*" | "×" | "·" | "/" | "÷"
    power = "^" | "**"
    sign = minus | "+"
    minus = "-" | "−"
    name (a name) = (letter | "_") (alnum | "_" | "₀".."₉")*
    number (a number) = mantissa exponent?
    mantissa = digit+ ("." digit+)? -- whole
             | "." digit+           -- fraction
    exponent = ("e" | "E") ("+" | "-")? digit+
  }
`);

/** Alternative spellings of operators. */
const SYNONYMS: Readonly<Record<string, string>> = {
  '−': '-',
  '×': '*',
  '·': '*',
  '÷': '/',
  '**': '^',
  '⊙': '.*',
};

const SEMANTICS = GRAMMAR.createSemantics()
  .addOperation<unknown>('tree', {
    Statements: (list, _) => list.asIteration().children.map((statement) => statement.tree()),
    Statement_named: (name, _, value) => ({ name: name.sourceString, value: value.tree(), at: startOf(name) }),
    Statement_unnamed: (value) => ({ value: value.tree(), at: startOf(value) }),
    Sum_binary: binary,
    Product_binary: binary,
    Power_binary: binary,
    Factor_signed: (sign, operand) =>
      sign.sourceString === '+'
        ? operand.tree()
        : { kind: 'apply', name: 'negate', operands: [operand.tree()], at: startOf(sign) },
    Atom_group: (_open, sum, _close) => sum.tree(),
    Atom_call: (name, _open, list, _close) => ({
      kind: 'apply',
      name: name.sourceString,
      operands: list.asIteration().children.map((operand) => operand.tree()),
      at: startOf(name),
    }),
    Atom_name: (name) => ({ kind: 'name', name: name.sourceString, at: startOf(name) }),
    Atom_number: (number) => ({ kind: 'number', value: Number(number.sourceString), at: startOf(number) }),
    Atom_array: (array) => ({
      kind: 'array',
      value: array.elements(),
      text: array.sourceString,
      at: startOf(array),
    }),
  })
  .addOperation<unknown>('elements', {
    Array: (_open, list, _close) => list.asIteration().children.map((element) => element.elements()),
    entry: (minus, number) => (minus.sourceString === '' ? 1 : -1) * Number(number.sourceString),
  });

function binary(left: ohm.Node, operator: ohm.Node, right: ohm.Node): Expression {
  const spelling = operator.sourceString;
  return {
    kind: 'apply',
    name: SYNONYMS[spelling] ?? spelling,
    operands: [left.tree(), right.tree()],
    at: startOf(operator),
  };
}

function startOf(node: ohm.Node): number {
  return node.source.startIdx;
}

/** @throws UsageError with the position of the first syntax error. */
export function parseFormula(text: string): Formula {
  if (text.trim() === '') throw new UsageError('the expression is empty; write one such as "(x+y)*z"');
  const match = GRAMMAR.match(text);
  if (match.succeeded()) return { text, statements: SEMANTICS(match).tree() };
  const { getRightmostFailurePosition, getExpectedText } = match as ohm.FailedMatchResult;
  const at = getRightmostFailurePosition.call(match);
  throw errorAt(text, at, describeSyntaxError(text, at, getExpectedText.call(match)));
}

/** Summarises the tokens that could have followed. @param tokens those of the grammar, as a list. */
function summariseExpected(tokens: string): string {
  if (tokens.includes('a name')) return 'a value (a number, a name, a function, "[" or "(")';
  if (tokens.includes('a number')) return 'a number';
  if (tokens.includes('"]"')) return '"," or "]"';
  const closing = [')', ','].filter((token) => tokens.includes(`"${token}"`)).map((token) => ` or "${token}"`);
  return `an operator${closing.join('')}`;
}

function describeSyntaxError(text: string, at: number, tokens: string): string {
  const expected = summariseExpected(tokens);
  const rest = text.slice(at);
  if (rest === '') return `expected ${expected}, got the end`;
  const [word] = rest.match(/^[\p{L}\p{N}_]+/u) ?? [String.fromCodePoint(rest.codePointAt(0)!)];
  const isProduct = expected.startsWith('an operator') && /^[\p{L}\p{N}_(]/u.test(rest);
  return `expected ${expected}, got "${word}"${isProduct ? '; write a product with *' : ''}`;
}

/** Creates an error that shows the line of the text with a caret under the position. */
export function errorAt(text: string, at: number, message: string): UsageError {
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const [line] = text.slice(lineStart).split('\n');
  const column = Array.from(text.slice(lineStart, at)).length;
  return new UsageError(`at column ${column + 1}: ${message}\n  ${line}\n  ${' '.repeat(column)}^`);
}
