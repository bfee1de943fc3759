import { describe, expect, it } from 'vitest';
import { type Expression, parseFormula } from '../../../src/explain/expression/language.ts';

/** Prints a syntax tree as S-expressions. */
function print(node: Expression): string {
  if (node.kind === 'number') return String(node.value);
  if (node.kind === 'name') return node.name;
  if (node.kind === 'array') return JSON.stringify(node.value);
  return `(${[node.name, ...node.operands.map(print)].join(' ')})`;
}

const parsed = (text: string) =>
  parseFormula(text).statements.map(({ name, value }) => (name ? `${name}: ` : '') + print(value));

describe('precedence', () => {
  it.each([
    ['x + y * z', '(+ x (* y z))'],
    ['(x + y) * z', '(* (+ x y) z)'],
    ['x - y - z', '(- (- x y) z)'],
    ['x / y / z', '(/ (/ x y) z)'],
    ['x - y + z', '(+ (- x y) z)'],
    ['-x^2', '(negate (^ x 2))'],
    ['2^-x', '(^ 2 (negate x))'],
    ['x^y^z', '(^ x (^ y z))'],
    ['-x*y', '(* (negate x) y)'],
    ['x*-y', '(* x (negate y))'],
    ['--x', '(negate (negate x))'],
    ['+x', 'x'],
    ['x .* y', '(.* x y)'],
    ['2.*x', '(.* 2 x)'],
    ['max(x, y + 1)', '(max x (+ y 1))'],
    ['1.5e-3 + .5', '(+ 0.0015 0.5)'],
    ['[[1, -2], [.5, 3]]*x', '(* [[1,-2],[0.5,3]] x)'],
  ])('%s', (text, tree) => expect(parsed(text)).toEqual([tree]));

  it('accepts mathematical symbols', () => {
    expect(parsed('−x × y · z ÷ w')).toEqual(parsed('-x * y * z / w'));
    expect(parsed('x**2 ⊙ y')).toEqual(parsed('x^2 .* y'));
  });

  it('accepts statements, names with digits and subscripts, and Greek letters', () => {
    expect(parsed('q = x₁ + w0; σ_2 = q*q;')).toEqual(['q: (+ x₁ w0)', 'σ_2: (* q q)']);
  });
});

describe('syntax errors', () => {
  it.each([
    ['(x+y)z', 6, 'expected an operator, got "z"; write a product with *'],
    ['2x', 2, 'expected an operator, got "x"; write a product with *'],
    ['x+', 3, 'expected a value (a number, a name, a function, "[" or "("), got the end'],
    ['x */ y', 4, 'got "/"'],
    ['max(x y)', 7, 'expected an operator or ")" or ",", got "y"'],
    ['(x', 3, 'expected an operator or ")", got the end'],
    ['x)', 2, 'expected an operator, got ")"'],
    ['x $ y', 3, 'expected an operator, got "$"'],
    ['[1 2]', 4, 'expected "," or "]", got "2"'],
    ['[1,x]', 4, 'expected a number, got "x"'],
    ['f = ', 5, 'expected a value'],
    ['x + 1; = 3', 8, 'got "="'],
  ])('%s', (text, column, message) => {
    const lines = messageOf(text).split('\n');
    expect(lines[0]).toContain(`at column ${column}: `);
    expect(lines[0]).toContain(message);
    expect(lines.slice(1)).toEqual([`  ${text}`, `  ${' '.repeat(column - 1)}^`]);
  });

  it('include an empty expression', () => {
    expect(messageOf(' ')).toBe('the expression is empty; write one such as "(x+y)*z"');
  });

  it('show their own line', () => {
    expect(messageOf('q = x;\nq + ?')).toBe(
      'at column 5: expected a value (a number, a name, a function, "[" or "("), got "?"\n  q + ?\n      ^',
    );
  });
});

function messageOf(text: string): string {
  try {
    parseFormula(text);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error(`'${text}' was accepted`);
}
