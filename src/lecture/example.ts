import type { Nested } from '../explain/expression/values.ts';
import type { EvaluatedGraph } from '../explain/graph-explanation.ts';

/** A worked example of CS231n's lecture 4, "Backpropagation and Neural Networks" (2017). */
export type Example = FormulaExample | GraphExample;

interface Description {
  /** A single word, as typed on the command line. */
  readonly name: string;
  /** A summary in one line. */
  readonly title: string;
  /** Remarks on the numbers. */
  readonly notes: readonly string[];
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
