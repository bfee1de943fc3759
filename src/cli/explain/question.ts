import { closest } from '../../closest.ts';
import { UsageError } from '../../errors.ts';
import { compile } from '../../explain/expression/compile.ts';
import { parseFormula } from '../../explain/expression/language.ts';
import { expectValues, namesOf } from '../../explain/expression/names.ts';
import { type Nested, nested, parseAssignments, type Values, valuesOf } from '../../explain/expression/values.ts';
import type { EvaluatedGraph } from '../../explain/graph-explanation.ts';
import type { Example } from '../../lecture/example.ts';
import { EXAMPLES } from '../../lecture/examples.ts';
import { shellWord } from '../terminal/shell.ts';

/** A graph to explain, with its title, upstream gradient and notes. */
export interface Question {
  readonly subject: EvaluatedGraph;
  readonly title: string;
  readonly formula?: string;
  /** Values given on the command line. */
  readonly given: Readonly<Record<string, Nested>>;
  /** Upstream gradients of the outputs, as parsed JSON. */
  readonly upstream?: unknown;
  readonly notes: readonly string[];
}

/** Parses the name of an example or an expression, and its values.
 *  @param program how it was started, for the commands that errors suggest.
 *  @throws UsageError if the text is neither, or if the values do not match its variables. */
export async function parseQuestion(what: string, assignments: readonly string[], program: string): Promise<Question> {
  const values = parseAssignments(assignments);
  const example = EXAMPLES.find(({ name }) => name === what);
  if (example) return exampleQuestion(example, values);
  rejectMistypedName(what, values.size === 0, program);
  const formula = parseFormula(what);
  expectValues(formula, namesOf(formula).variables, values, (missing) => {
    const words = [what, ...assignments, ...missing.map((name) => `${name}=1`)];
    return `${program} explain ${words.map(shellWord).join(' ')}`;
  });
  return {
    subject: await compile(formula, values),
    title: what,
    formula: what,
    given: nestedValues(values),
    notes: [],
  };
}

/** Given values replace those of the example, and its notes, which describe its own values, are left out. */
async function exampleQuestion(example: Example, values: ReadonlyMap<string, Values>): Promise<Question> {
  if ('build' in example) {
    if (values.size === 0) return { ...example, subject: example.build(), given: {} };
    throw new UsageError(`the example ${example.name} takes no values, got ${[...values.keys()].join(', ')}`);
  }
  const formula = parseFormula(example.formula);
  const own = Object.entries(example.values).map(([name, value]) => [name, valuesOf(value, name)] as const);
  const all = new Map([...own, ...values]);
  expectValues(formula, namesOf(formula).variables, all, () => '');
  return {
    ...example,
    subject: await compile(formula, all),
    given: nestedValues(values),
    notes: values.size === 0 ? example.notes : [],
  };
}

function nestedValues(values: ReadonlyMap<string, Values>): Record<string, Nested> {
  return Object.fromEntries(Array.from(values, ([name, value]) => [name, nested(value)]));
}

/** Takes a single word for a mistyped name of an example, since a variable alone is not a graph. A hyphenated word may also
 *  be a difference.
 *  @throws UsageError if it is such a word. */
function rejectMistypedName(what: string, isAlone: boolean, program: string): void {
  const names = EXAMPLES.map(({ name }) => name);
  const near = closest(what, names);
  const isWord = /^[\p{L}_][\p{L}\p{N}_]*$/u.test(what);
  const isHyphenated = isAlone && near?.includes('-') && /^[\p{L}\p{N}_-]+$/u.test(what);
  if (!isWord && !isHyphenated) return;
  throw new UsageError(
    `unknown example '${what}'. ${near ? `Did you mean '${near}'?` : 'A variable alone is not an expression.'} ` +
      `To list the examples, run ${program} explain --list`,
  );
}
