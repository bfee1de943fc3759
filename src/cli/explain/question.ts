import { UsageError } from '../../errors.ts';
import { closest } from '../../explain/expression/closest.ts';
import { compile } from '../../explain/expression/compile.ts';
import { parseFormula } from '../../explain/expression/language.ts';
import { expectValues, namesOf } from '../../explain/expression/names.ts';
import { parseAssignments, type Values, valuesOf } from '../../explain/expression/values.ts';
import type { EvaluatedGraph } from '../../explain/graph-explanation.ts';
import type { Example } from '../../lecture/example.ts';
import { EXAMPLES } from '../../lecture/examples.ts';
import * as format from '../terminal/format.ts';

/** What is to be explained. */
export interface Question {
  readonly subject: EvaluatedGraph;
  readonly title: string;
  readonly formula?: string;
  /** The gradients to begin with, as JSON has them. */
  readonly upstream?: unknown;
  readonly notes: readonly string[];
}

/** Reads an example or an expression, and the values for it.
 *  @throws UsageError for what is neither, or values that do not fit it. */
export async function ask(what: string, assignments: readonly string[]): Promise<Question> {
  const values = parseAssignments(assignments);
  const example = EXAMPLES.find(({ name }) => name === what);
  if (example) return askExample(example, values);
  expectNoName(what, values.size === 0);
  const formula = parseFormula(what);
  expectValues(formula, namesOf(formula).variables, values, (missing) => {
    const words = [what, ...assignments, ...missing.map((name) => `${name}=1`)];
    return `nn-train explain ${words.map(format.shellWord).join(' ')}`;
  });
  return { subject: await compile(formula, values), title: what, formula: what, notes: [] };
}

/** Values of the caller's take the place of the example's own. The notes are about its own. */
async function askExample(example: Example, values: ReadonlyMap<string, Values>): Promise<Question> {
  if ('build' in example) {
    if (values.size === 0) return { ...example, subject: example.build() };
    throw new UsageError(`the example ${example.name} takes no values, got ${[...values.keys()].join(', ')}`);
  }
  const formula = parseFormula(example.formula);
  const own = Object.entries(example.values).map(([name, value]) => [name, valuesOf(value, name)] as const);
  const all = new Map([...own, ...values]);
  expectValues(formula, namesOf(formula).variables, all, () => '');
  return { ...example, subject: await compile(formula, all), notes: values.size === 0 ? example.notes : [] };
}

/** A variable alone is no graph, so a single word was to be the name of an example. With a hyphen it may be a difference.
 *  @throws UsageError */
function expectNoName(what: string, isAlone: boolean): void {
  const names = EXAMPLES.map(({ name }) => name);
  const near = closest(what, names);
  const isWord = /^[\p{L}_][\p{L}\p{N}_]*$/u.test(what);
  const isHyphenated = isAlone && near?.includes('-') && /^[\p{L}\p{N}_-]+$/u.test(what);
  if (!isWord && !isHyphenated) return;
  throw new UsageError(
    `there is no example '${what}'${near ? `; did you mean ${near}?` : ', and a variable alone is no expression;'} ` +
      'nn-train explain --list names them all',
  );
}
