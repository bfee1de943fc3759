import fc from 'fast-check';

// Random expressions with an independent evaluator on arrays of rows, which shares no code with the project.

export type Matrix = readonly (readonly number[])[];
export type Environment = Readonly<Record<string, Matrix>>;

/** A random expression, as text and as a function of the variables' values. */
export interface Term {
  readonly text: string;
  readonly evaluate: (at: Environment) => Matrix;
}

/** Thrown where central differences are unreliable: near a kink or a pole, or for huge values. */
export class Unsuitable extends Error {}

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

export type ShapeName = 'scalar' | '2' | '3' | '2x2' | '2x3' | '3x2';

export const VARIABLES: Record<ShapeName, readonly string[]> = {
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

export function term(shape: ShapeName, depth: number): fc.Arbitrary<Term> {
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
