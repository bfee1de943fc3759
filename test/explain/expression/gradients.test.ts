import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compile } from '../../../src/explain/expression/compile.ts';
import { parseFormula } from '../../../src/explain/expression/language.ts';
import { explainGraph } from '../../../src/explain/graph-explanation.ts';
import { normals } from '../../support/graphs.ts';

// An independent evaluator on arrays of rows, which shares no code with the project.

type Matrix = readonly (readonly number[])[];
type Environment = Readonly<Record<string, Matrix>>;

/** A random expression, as text and as a function of the variables' values. */
interface Term {
  readonly text: string;
  readonly evaluate: (at: Environment) => Matrix;
}

/** Thrown where central differences are unreliable: near a kink or a pole, or for huge values. */
class Unsuitable extends Error {}

function expectThat(isSuitable: boolean): void {
  if (!isSuitable) throw new Unsuitable();
}

const KINK = 1e-3;

const FUNCTIONS: Record<string, (x: number) => number> = {
  exp: Math.exp,
  tanh: (x) => 1 - 2 / (Math.exp(2 * x) + 1),
  sigmoid: (x) => Math.exp(x) / (1 + Math.exp(x)),
  log: (x) => {
    expectThat(x > 0.1);
    return Math.log(x);
  },
  sqrt: (x) => {
    expectThat(x > 0.1);
    return x ** 0.5;
  },
  abs: (x) => {
    expectThat(Math.abs(x) > KINK);
    return x < 0 ? -x : x;
  },
  relu: (x) => {
    expectThat(Math.abs(x) > KINK);
    return x < 0 ? 0 : x;
  },
};

const PAIRS: Record<string, (a: number, b: number) => number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '.*': (a, b) => a * b,
  '/': (a, b) => {
    expectThat(Math.abs(b) > 0.1);
    return a / b;
  },
  max: (a, b) => {
    expectThat(Math.abs(a - b) > KINK);
    return a > b ? a : b;
  },
  min: (a, b) => {
    expectThat(Math.abs(a - b) > KINK);
    return a > b ? b : a;
  },
};

const map = (f: (x: number) => number, m: Matrix) =>
  m.map((row) =>
    row.map((value) => {
      const result = f(value);
      expectThat(Math.abs(result) < 100);
      return result;
    }),
  );

/** Applies f element by element; a scalar is broadcast. */
function combine(f: (a: number, b: number) => number, a: Matrix, b: Matrix): Matrix {
  const isScalar = (m: Matrix) => m.length === 1 && m[0].length === 1;
  const shape = isScalar(a) ? b : a;
  const at = (m: Matrix, i: number, j: number) => (isScalar(m) ? m[0][0] : m[i][j]);
  return shape.map((row, i) => row.map((_, j) => map(() => f(at(a, i, j), at(b, i, j)), [[0]])[0][0]));
}

const product = (a: Matrix, b: Matrix) =>
  a.map((row) => b[0].map((_, j) => row.reduce((sum, x, k) => sum + x * b[k][j], 0)));
const transposed = (m: Matrix) => m[0].map((_, j) => m.map((row) => row[j]));

type ShapeName = 'scalar' | '2' | '3' | '2x2' | '2x3' | '3x2';

const VARIABLES: Record<ShapeName, readonly string[]> = {
  scalar: ['x', 'y', 'z'],
  '2': ['u', 'v'],
  '3': ['w'],
  '2x2': ['A', 'B'],
  '2x3': ['C', 'D'],
  '3x2': ['E'],
};

/** Shapes of the factors of a matrix product, by the shape of the result. */
const PRODUCTS: Partial<Record<ShapeName, readonly (readonly [ShapeName, ShapeName])[]>> = {
  '2': [
    ['2x2', '2'],
    ['2x3', '3'],
  ],
  '3': [['3x2', '2']],
  '2x2': [['2x3', '3x2']],
};

const TRANSPOSES: Partial<Record<ShapeName, ShapeName>> = { '2x2': '2x2', '2x3': '3x2', '3x2': '2x3' };

function term(shape: ShapeName, depth: number): fc.Arbitrary<Term> {
  const variable = fc
    .constantFrom(...VARIABLES[shape])
    .map((name): Term => ({ text: name, evaluate: (at) => at[name] }));
  if (depth === 0) return variable;
  const same = term(shape, depth - 1);
  const other = shape === 'scalar' ? same : fc.oneof(same, term('scalar', depth - 1));
  const choices = [variable, functionOf(same), pairOf(same, other), pairOf(same, other), withConstant(same)];
  if (shape === 'scalar') choices.push(...(['2', '2x3'] as const).map((inner) => reductionOf(term(inner, depth - 1))));
  for (const [a, b] of PRODUCTS[shape] ?? []) choices.push(productOf(term(a, depth - 1), term(b, depth - 1)));
  const transposedShape = TRANSPOSES[shape];
  if (transposedShape) choices.push(term(transposedShape, depth - 1).map((m) => apply('T', transposed, m)));
  return fc.oneof(...choices);
}

function apply(name: string, f: (m: Matrix) => Matrix, { text, evaluate }: Term): Term {
  return { text: `${name}(${text})`, evaluate: (at) => f(evaluate(at)) };
}

function functionOf(inner: fc.Arbitrary<Term>): fc.Arbitrary<Term> {
  const names = fc.constantFrom(...Object.keys(FUNCTIONS));
  return fc.tuple(names, inner).map(([name, x]) => apply(name, (m) => map(FUNCTIONS[name], m), x));
}

function reductionOf(inner: fc.Arbitrary<Term>): fc.Arbitrary<Term> {
  const sum = (m: Matrix) => [[m.flat().reduce((sum, x) => sum + x, 0)]];
  return fc
    .tuple(fc.boolean(), inner)
    .map(([isNorm, x]) =>
      isNorm ? apply('norm2', (m) => sum(map((value) => value ** 2, m)), x) : apply('sum', sum, x),
    );
}

function pairOf(left: fc.Arbitrary<Term>, right: fc.Arbitrary<Term>): fc.Arbitrary<Term> {
  return fc.tuple(fc.constantFrom(...Object.keys(PAIRS)), left, right, fc.boolean()).map(([name, ...terms]) => {
    const [a, b] = terms.pop() ? [terms[1], terms[0]] : terms;
    return pair(name, a as Term, b as Term);
  });
}

function pair(name: string, a: Term, b: Term): Term {
  return {
    text: name.startsWith('m') ? `${name}(${a.text}, ${b.text})` : `(${a.text} ${name} ${b.text})`,
    evaluate: (at) => combine(PAIRS[name], a.evaluate(at), b.evaluate(at)),
  };
}

function withConstant(inner: fc.Arbitrary<Term>): fc.Arbitrary<Term> {
  const number = fc.constantFrom(-2, -0.5, 1, 3).map((c): Term => ({ text: `(${c})`, evaluate: () => [[c]] }));
  const square = inner.map(
    ({ text, evaluate }): Term => ({
      text: `(-${text}^2)`,
      evaluate: (at) => map((x) => -x * x, evaluate(at)),
    }),
  );
  return fc.oneof(pairOf(inner, number), square);
}

function productOf(left: fc.Arbitrary<Term>, right: fc.Arbitrary<Term>): fc.Arbitrary<Term> {
  return fc.tuple(left, right).map(([a, b]) => ({
    text: `(${a.text} * ${b.text})`,
    evaluate: (at) => product(a.evaluate(at), b.evaluate(at)),
  }));
}

const SIZES: Record<ShapeName, readonly [number, number]> = {
  scalar: [1, 1],
  '2': [2, 1],
  '3': [3, 1],
  '2x2': [2, 2],
  '2x3': [2, 3],
  '3x2': [3, 2],
};

/** Random values for the variables in a text. */
function environmentOf(text: string, seed: number): Record<string, Matrix> {
  const all = Object.entries(VARIABLES).flatMap(([shape, names]) => names.map((name) => [name, shape] as const));
  const used = all.filter(([name]) => new RegExp(`(?<!\\w)${name}(?!\\w)`).test(text));
  return Object.fromEntries(
    used.map(([name, shape]) => {
      const [rows, columns] = SIZES[shape as ShapeName];
      const numbers = Array.from(normals(rows * columns, `${name} ${seed}`));
      return [name, Array.from({ length: rows }, (_, i) => numbers.slice(i * columns, (i + 1) * columns))];
    }),
  );
}

/** Central differences of the sum of the elements. */
function differences(evaluate: Term['evaluate'], at: Environment, name: string, h = 1e-5): number[] {
  return at[name].flatMap((row, i) =>
    row.map((_, j) => {
      const moved = (step: number) => {
        const matrix = at[name].map((some, k) => some.map((value, l) => (k === i && l === j ? value + step : value)));
        return evaluate({ ...at, [name]: matrix })
          .flat()
          .reduce((sum, value) => sum + value, 0);
      };
      return (moved(h) - moved(-h)) / (2 * h);
    }),
  );
}

const anyTerm = fc.constantFrom<ShapeName[]>('scalar', 'scalar', '2', '2x2').chain((shape) => term(shape, 3));

it('gradients of random expressions agree with central differences', async () => {
  let gradients = 0;
  await fc.assert(
    fc.asyncProperty(anyTerm, fc.nat(1000), async ({ text, evaluate }, seed) => {
      const at = environmentOf(text, seed);
      let numeric: Record<string, number[]>;
      let value: Matrix;
      try {
        value = evaluate(at);
        numeric = Object.fromEntries(Object.keys(at).map((name) => [name, differences(evaluate, at, name)]));
      } catch (error) {
        if (!(error instanceof Unsuitable)) throw error;
        fc.pre(false);
        return;
      }
      fc.pre(/\W/.test(text));
      const values = Object.entries(at).map(([name, rows]) => {
        const [[only]] = rows;
        const isScalar = VARIABLES.scalar.includes(name);
        const shape = isScalar ? [] : [rows.length, rows[0].length];
        return [name, { shape, values: isScalar ? [only] : rows.flat() }] as const;
      });
      const subject = await compile(parseFormula(text), new Map(values));
      const [{ output, leaves }] = (await explainGraph(subject)).explanations;
      expectClose(Array.from(output.value.values), value.flat(), text);
      for (const { name, kind, gradient } of leaves) {
        if (kind !== 'parameter') continue;
        expectClose(Array.from(gradient!.values), numeric[name], `d/d${name} of ${text} at ${JSON.stringify(at)}`);
        gradients++;
      }
    }),
    { numRuns: 200, seed: 4 },
  );
  expect(gradients).toBeGreaterThan(300);
});

function expectClose(analytic: readonly number[], numeric: readonly number[], what: string): void {
  expect(analytic.length, what).toBe(numeric.length);
  const scale = 1 + Math.max(...analytic.map(Math.abs));
  for (const [i, value] of analytic.entries()) expect(Math.abs(value - numeric[i]) / scale, what).toBeLessThan(1e-6);
}
