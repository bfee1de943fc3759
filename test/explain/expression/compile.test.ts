import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/explain/expression/compile.ts';
import { parseFormula } from '../../../src/explain/expression/language.ts';
import { expectValues, namesOf } from '../../../src/explain/expression/names.ts';
import { parseAssignments } from '../../../src/explain/expression/values.ts';
import { rejection } from '../../support/cifar10.ts';

async function gatesOf(text: string, ...words: string[]) {
  const { graph, outputs } = await compile(parseFormula(text), parseAssignments(words));
  return {
    gates: graph.tape.map(({ gate, inputs, output }) => [
      output.name,
      gate.name,
      ...Object.values(inputs).map(({ name }) => name),
    ]),
    outputs: outputs.map(({ name }) => name),
    value: Array.from(await graph.backend.read(outputs[0].tensor)),
  };
}

const errorOf = async (text: string, ...words: string[]) => (await rejection(gatesOf(text, ...words))).message;

describe('the graph', () => {
  it('folds constants into gates and evaluates constant subexpressions', async () => {
    const { gates } = await gatesOf('1 - 2*3*x + x/4 - 5 + 6/x', 'x=2');
    expect(gates.map(([, gate]) => gate)).toEqual(['×6', '1−x', '/4', '+', '−5', '6/x', '+']);
    expect((await gatesOf('max(0, -x) + min(x, -1) + x^-2 + 2^x', 'x=2')).gates.map(([, gate]) => gate)).toEqual([
      '×−1',
      'max(0, x)',
      'min(x, −1)',
      '+',
      '^−2',
      '+',
      '2^x',
      '+',
    ]);
  });

  it('names wires by the formula, others by number, and outputs by a free letter', async () => {
    const { gates, outputs } = await gatesOf('q = x + y; q*f1; q/f1', 'x=1', 'y=2', 'f1=3');
    expect(gates).toEqual([
      ['q', '+', 'x', 'y'],
      ['g1', '*', 'q', 'f1'],
      ['g2', '/', 'q', 'f1'],
    ]);
    expect(outputs).toEqual(['g1', 'g2']);
  });

  it('has the unused statements as outputs', async () => {
    expect((await gatesOf('a = x*2; b = x*3; c = a + 1', 'x=1')).outputs).toEqual(['b', 'c']);
    expect((await gatesOf('half = 1/2; y = half*x', 'x=4')).value).toEqual([2]);
  });

  it('broadcasts a scalar beside a tensor', async () => {
    expect(await gatesOf('b + W', 'b=1', 'W=[[1,2],[3,4]]')).toMatchObject({
      gates: [
        ['#1', 'copy', 'b'],
        ['f', '+', '#1', 'W'],
      ],
      value: [2, 3, 4, 5],
    });
    expect((await gatesOf('s*v', 's=2', 'v=[1,2]')).value).toEqual([2, 4]);
  });

  it('multiplies matrices with *, elements with .*, and accepts array literals', async () => {
    const W = 'W=[[1,2],[3,4]]';
    expect((await gatesOf('W*v', W, 'v=[1,1]')).value).toEqual([3, 7]);
    expect((await gatesOf('T(v)*W', W, 'v=[1,1]')).value).toEqual([4, 6]);
    expect((await gatesOf('W .* W', W)).value).toEqual([1, 4, 9, 16]);
    expect((await gatesOf('sum(W .* [[1,0],[0,1]])', W)).value).toEqual([5]);
    expect((await gatesOf('norm2(transpose(W))', W)).value).toEqual([30]);
  });

  it('gives no gradient to constants', async () => {
    const { graph } = await compile(parseFormula('[1,2] .* v'), parseAssignments(['v=[3,4]']));
    expect(graph.parameters.map(({ name }) => name)).toEqual(['v']);
  });
});

describe('errors point at their position', () => {
  it.each([
    ['x + foo(x)', 5, "unknown function 'foo'; the functions are exp, log,", ['x=1']],
    ['1 + sigmiod(x)', 5, "unknown function 'sigmiod'. Did you mean 'sigmoid'?", ['x=1']],
    ['max(x)', 1, 'max takes two values, got 1', ['x=1']],
    ['exp(x, x)', 1, 'exp takes one value, got 2', ['x=1']],
    ['v + w', 3, 'cannot add a vector of 2 and a vector of 3: the shapes differ', ['v=[1,2]', 'w=[1,2,3]']],
    [
      'W * v',
      3,
      'cannot multiply a matrix [1, 3] by a vector of 2: the first has 3 columns',
      ['W=[[1,2,3]]', 'v=[1,2]'],
    ],
    ['v * v', 3, 'for an elementwise product write a .* b', ['v=[1,2]']],
    ['x + T(x)', 5, 'cannot transpose a scalar', ['x=1']],
    ['v + [[1,2],[3]]', 5, 'the rows of [[1,2],[3]] differ in length: row 0 has 2 numbers, row 1 has 1', ['v=[1,2]']],
    ['v + []', 5, '[] is an empty array', ['v=[1,2]']],
    ['y + log(x - 3)', 5, 'the gate log gives NaN for #1 = -2', ['x=1', 'y=1']],
    ['y / x', 3, 'the gate / gives Infinity for y = 1, x = 0', ['x=0', 'y=1']],
    ['sqrt(v)', 1, 'the gate sqrt gives NaN for v = -4', ['v=[1,-4]']],
    ['q = x + 1; q = 2*x', 12, 'q is defined twice', ['x=1']],
    ['f = q*x; q = x + 1', 10, 'q is used before it is defined', ['x=1']],
    ['x + 1; 2*3', 8, 'does not depend on a variable', ['x=1']],
    ['f = x', 5, 'f is just a variable', ['x=1']],
  ])('%s', async (text, column, message, words) => {
    const [first, , caret] = (await errorOf(text, ...words)).split('\n');
    expect(first).toContain(`at column ${column}: `);
    expect(first).toContain(message);
    expect(caret.indexOf('^')).toBe(column + 1);
  });
});

describe('values', () => {
  it.each([
    [['x'], "expected name=value after the expression, got 'x'"],
    [['x=1', 'x=2'], 'x is given twice'],
    [['x='], "x must be a number or a JSON array such as [1, 2] or [[1, 2], [3, 4]], got ''"],
    [['x=[1,2'], "got '[1,2'"],
    [['x=[1,"a"]'], 'x[1] must be a finite number, got "a"'],
    [['x=[[1,2],[3]]'], 'the rows of x differ in length'],
    [['x=[[1,2],3]'], 'x[1] must be a row of numbers'],
    [['x=[]'], 'x is an empty array'],
    [['x=[[]]'], 'the rows of x are empty'],
    [['x=1e999'], 'x must be a finite number'],
    [['x=[[[1]]]'], 'x[0][0] must be a finite number, got [1]'],
    [['x={"a":1}'], 'x must be a finite number, got {"a":1}'],
  ])('%j', (words, message) => {
    expect(() => parseAssignments(words)).toThrow(message);
  });

  it('are scalars, vectors (columns) or matrices', () => {
    const values = parseAssignments(['x=-.5', 'v=[1,2]', 'W=[[1,2,3]]', 'μ₁ = 1e-3']);
    expect([...values].map(([name, { shape }]) => [name, shape])).toEqual([
      ['x', []],
      ['v', [2, 1]],
      ['W', [1, 3]],
      ['μ₁', []],
    ]);
    expect(values.get('x')!.values).toEqual([-0.5]);
  });

  it('must be given for each variable and nothing else', () => {
    const check = (text: string, ...words: string[]) => {
      const formula = parseFormula(text);
      const example = (missing: readonly string[]) => `try ${missing.join(' ')}`;
      return () => expectValues(formula, namesOf(formula).variables, parseAssignments(words), example);
    };
    expect(check('x*y + z', 'y=1')).toThrow('no value given for x, z; add one, for example\n  try x z');
    expect(check('x*y', 'x=1', 'y=1', 'w=1')).toThrow('the expression has no variable w; its variables are x, y');
    expect(check('q = 2*x; q + 1', 'x=1', 'q=1')).toThrow('q cannot be given a value: the expression computes it');
    expect(check('2*3')).toThrow('the expression has no variables');
    expect(check('x*y', 'x=1', 'y=1')).not.toThrow();
  });
});
