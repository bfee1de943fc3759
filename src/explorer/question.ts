import { sizeOf } from '../backends/backend.ts';
import type { Wire } from '../engine/wire.ts';
import { UsageError } from '../errors.ts';
import { compile } from '../explain/expression/compile.ts';
import { type Formula, parseFormula } from '../explain/expression/language.ts';
import { namesOf } from '../explain/expression/names.ts';
import { describeShape, type Values, valuesOf } from '../explain/expression/values.ts';
import {
  type EvaluatedGraph,
  explainGraph,
  type GraphExplanation,
  parseUpstream,
} from '../explain/graph-explanation.ts';
import type { Example, FormulaExample, GraphExample } from '../lecture/example.ts';
import { EXAMPLES } from '../lecture/examples.ts';

/** What an example is, without what it shows, which would answer its exercise. */
export const subjectOf = ({ title }: Example): string => title.split(': ')[0];

export type ValuesByName = ReadonlyMap<string, Values>;

/** A graph whose leaves can be changed. */
export interface Question {
  /** Name of the example, or the expression. */
  readonly what: string;
  readonly title: string;
  readonly formula: string | undefined;
  /** The example of the lecture that it is, if it is one. */
  readonly example: Example | undefined;
  /** Remarks on the numbers of an example, which hold for its own values only. */
  readonly notes: readonly string[];
  /** Leaves that can be changed, with their values at the start. */
  readonly values: ValuesByName;
  /** Whether these are the values of an example. */
  readonly isOriginal: boolean;
  /** Runs the graph forward and backward. @throws UsageError for values that a gate does not take. */
  explain(values: ValuesByName): Promise<GraphExplanation>;
  /** Runs the graph forward only. @returns the values of its outputs, in the order of the explanations. @throws as `explain`. */
  evaluate(values: ValuesByName): Promise<readonly Values[]>;
}

/** @param what the name of an example, or an expression. @param given values that replace those of the example; a variable
 *  of an expression without one is 1. @param upstream the gradient to start from, as parsed JSON. Default: the example's, or
 *  ones.
 *  @throws UsageError if the expression is invalid, or has no such variables. */
export async function ask(what: string, given: ValuesByName, upstream?: unknown): Promise<Question> {
  const example = EXAMPLES.find(({ name }) => name === what);
  if (example && 'build' in example) return graphQuestion(example, given);
  const formula = parseFormula(example?.formula ?? what);
  const values = valuesFor(formula, example, given);
  const start = upstream ?? example?.upstream;
  return {
    what,
    title: example?.title ?? what,
    formula: formula.text,
    example,
    notes: given.size === 0 ? (example?.notes ?? []) : [],
    values,
    isOriginal: example !== undefined && given.size === 0,
    explain: async (now) => explainFrom(await compile(formula, now), start),
    evaluate: async (now) => outputsOf(await compile(formula, now)),
  };
}

function outputsOf({ graph, outputs }: EvaluatedGraph): Promise<Values[]> {
  return Promise.all(outputs.map(async ({ shape, tensor }) => ({ shape, values: await graph.backend.read(tensor) })));
}

function explainFrom(subject: EvaluatedGraph, start: unknown): Promise<GraphExplanation> {
  const upstream = start === undefined ? new Map() : parseUpstream(start, subject.outputs, 'the upstream gradient');
  return explainGraph(subject, upstream);
}

function valuesFor(formula: Formula, example: FormulaExample | undefined, given: ValuesByName): ValuesByName {
  const { variables } = namesOf(formula);
  if (variables.length === 0) {
    throw new UsageError('the expression has no variables, so there is nothing to differentiate with respect to');
  }
  for (const name of given.keys()) {
    if (!variables.includes(name)) {
      throw new UsageError(`the expression has no variable ${name}; its variables are ${variables.join(', ')}`);
    }
  }
  const own = (name: string) => valuesOf(example?.values[name] ?? 1, name);
  return new Map(variables.map((name) => [name, given.get(name) ?? own(name)]));
}

/** Builds the graph once; its leaves are overwritten. */
async function graphQuestion(example: GraphExample, given: ValuesByName): Promise<Question> {
  const subject = example.build();
  const { graph } = subject;
  const leaves = await leavesOf(subject);
  let last: Promise<unknown> = Promise.resolve();
  const values = new Map(Array.from(leaves, ([wire, initial]) => [wire.name, given.get(wire.name) ?? initial]));
  return {
    what: example.name,
    title: example.title,
    formula: undefined,
    example,
    notes: given.size === 0 ? example.notes : [],
    values,
    isOriginal: given.size === 0,
    explain: (now) => run(now, explainGraph),
    evaluate: (now) => run(now, outputsOf),
  };

  /** Runs the graph forward and uses it, one after the other, as all write to the same graph. */
  function run<T>(now: ValuesByName, use: (subject: EvaluatedGraph) => Promise<T>): Promise<T> {
    const used = last.then(() => {
      for (const wire of leaves.keys()) write(wire, now.get(wire.name)!);
      graph.forward();
      return use(subject);
    });
    last = used.catch(() => {});
    return used;
  }

  function write(wire: Wire, { shape, values: numbers }: Values): void {
    if (sizeOf(shape) !== sizeOf(wire.shape)) {
      throw new UsageError(`${wire.name} must be ${describeShape(wire.shape)}, got ${describeShape(shape)}`);
    }
    graph.backend.write(wire.tensor, numbers);
  }
}

/** Leaves of a built graph whose elements may be any number, with their values. */
async function leavesOf({ graph }: EvaluatedGraph): Promise<Map<Wire, Values>> {
  const outputs = new Set(graph.tape.map(({ output }) => output));
  const leaves = new Set(
    graph.tape.flatMap(({ inputs }) => Object.values(inputs)).filter((wire) => !outputs.has(wire)),
  );
  const found = new Map<Wire, Values>();
  for (const wire of leaves) {
    if (wire.tensor.dtype !== graph.backend.dtype) continue;
    found.set(wire, { shape: wire.shape, values: await graph.backend.read(wire.tensor) });
  }
  return found;
}
