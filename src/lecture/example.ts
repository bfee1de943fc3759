import type { Subject } from '../explain/answer.ts';
import type { Nested } from '../explain/expression/values.ts';

/** A worked example of CS231n's lecture 4, "Backpropagation and Neural Networks" (2017). */
export type Example = FormulaExample | GraphExample;

interface Described {
  /** One word, as it is typed. */
  readonly name: string;
  /** What it shows, in one line. */
  readonly title: string;
  /** What is worth knowing about the numbers. */
  readonly notes: readonly string[];
}

/** An example that is a formula such as anyone can write. */
export interface FormulaExample extends Described {
  readonly formula: string;
  readonly values: Readonly<Record<string, Nested>>;
  /** The gradients to begin with, by output; ones unless they are given. */
  readonly upstream?: Readonly<Record<string, Nested>>;
}

/** An example that needs gates which the language of formulas does not have. */
export interface GraphExample extends Described {
  /** Builds the graph and runs it forward. */
  build(): Subject;
}
