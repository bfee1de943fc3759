import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compile } from '../../../src/explain/expression/compile.ts';
import { parseFormula } from '../../../src/explain/expression/language.ts';
import { explainGraph } from '../../../src/explain/graph-explanation.ts';
import { normals } from '../../support/graphs.ts';
import {
  type Environment,
  type Matrix,
  type ShapeName,
  type Term,
  term,
  Unsuitable,
  VARIABLES,
} from './random-terms.ts';

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
