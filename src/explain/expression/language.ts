import * as ohm from 'ohm-js';
import { UsageError } from '../../errors.ts';

/** A formula as written: statements, and where in the text each part stands. */
export interface Formula {
  readonly text: string;
  readonly statements: readonly Statement[];
}

export interface Statement {
  /** Given by `name = …`. */
  readonly name?: string;
  readonly value: Expression;
  readonly at: number;
}

/** `at` is the place of a leaf, or of the operator or the function's name. */
export type Expression =
  | { readonly kind: 'number'; readonly value: number; readonly at: number }
  | { readonly kind: 'array'; readonly value: unknown; readonly text: string; readonly at: number }
  | { readonly kind: 'name'; readonly name: string; readonly at: number }
  | { readonly kind: 'apply'; readonly name: string; readonly operands: readonly Expression[]; readonly at: number };

/** Precedence from the loosest: + −; * /; signs; ^, which takes a signed exponent and so groups to the right. */
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

/** Operators that are written in more than one way, by the name that stands for them. */
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
  const written = operator.sourceString;
  return {
    kind: 'apply',
    name: SYNONYMS[written] ?? written,
    operands: [left.tree(), right.tree()],
    at: startOf(operator),
  };
}

function startOf(node: ohm.Node): number {
  return node.source.startIdx;
}

/** @throws UsageError that points at the place where the text stops making sense. */
export function parseFormula(text: string): Formula {
  if (text.trim() === '') throw new UsageError('the expression is empty; write one such as "(x+y)*z"');
  const match = GRAMMAR.match(text);
  if (match.succeeded()) return { text, statements: SEMANTICS(match).tree() };
  const { getRightmostFailurePosition, getExpectedText } = match as ohm.FailedMatchResult;
  const at = getRightmostFailurePosition.call(match);
  throw errorAt(text, at, describeMistake(text, at, getExpectedText.call(match)));
}

/** What might have followed, in few words. @param expected what the grammar expected, as a list of its tokens. */
function wantedIn(expected: string): string {
  if (expected.includes('a name')) return 'a value (a number, a name, a function, "[" or "(")';
  if (expected.includes('a number')) return 'a number';
  if (expected.includes('"]"')) return '"," or "]"';
  const closing = [')', ','].filter((token) => expected.includes(`"${token}"`)).map((token) => ` or "${token}"`);
  return `an operator${closing.join('')}`;
}

function describeMistake(text: string, at: number, expected: string): string {
  const wanted = wantedIn(expected);
  const rest = text.slice(at);
  if (rest === '') return `wanted ${wanted}, got the end`;
  const [word] = rest.match(/^[\p{L}\p{N}_]+/u) ?? [String.fromCodePoint(rest.codePointAt(0)!)];
  const isProduct = wanted.startsWith('an operator') && /^[\p{L}\p{N}_(]/u.test(rest);
  return `wanted ${wanted}, got "${word}"${isProduct ? '; a product is written with *' : ''}`;
}

/** An error with the line of the text that it is about, and a caret under the place. */
export function errorAt(text: string, at: number, message: string): UsageError {
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const [line] = text.slice(lineStart).split('\n');
  const column = Array.from(text.slice(lineStart, at)).length;
  return new UsageError(`at column ${column + 1}: ${message}\n  ${line}\n  ${' '.repeat(column)}^`);
}
