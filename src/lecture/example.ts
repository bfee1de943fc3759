import type { Nested } from '../explain/expression/values.ts';
import type { EvaluatedGraph } from '../explain/graph-explanation.ts';

/** A worked example of CS231n's lecture 4, "Backpropagation and Neural Networks" (2017). */
export type Example = FormulaExample | GraphExample;

interface Description {
  /** A single word, as typed on the command line. */
  readonly name: string;
  /** A summary in one line: what it is, and after a colon what it shows. */
  readonly title: string;
  /** What the example is about, without the answer to its exercise. */
  readonly text: string;
  readonly exercise: Exercise;
  /** Remarks on the numbers. */
  readonly notes: readonly string[];
}

/** A question for a gradient, which a student answers by a number. The graph knows the right one. */
export interface Exercise {
  readonly question: string;
  /** Name of the wire that is asked about. */
  readonly wire: string;
  /** Element of the wire, row by row. Default: the first, as of a scalar. */
  readonly element?: number;
  /** Name of the output of the gate whose contribution is asked for. Default: the sum over all gates that use the wire. */
  readonly through?: string;
  /** Name of the differentiated output. Default: the first. */
  readonly output?: string;
}

/** An example written in the expression language. */
export interface FormulaExample extends Description {
  readonly formula: string;
  readonly values: Readonly<Record<string, Nested>>;
  /** Initial gradients of the backward pass, by output. Default: ones. */
  readonly upstream?: Readonly<Record<string, Nested>>;
}

/** An example with gates that the expression language does not have. */
export interface GraphExample extends Description {
  /** Builds the graph and runs it forward. */
  build(): EvaluatedGraph;
}
