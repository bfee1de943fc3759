import type { Explanation } from '../../explain/explanation.ts';
import type { GraphExplanation } from '../../explain/graph-explanation.ts';
import type { Question, ValuesByName } from '../question.ts';

/** What the page shows. */
export interface State {
  readonly question: Question;
  /** Values of the leaves that can be changed. */
  readonly values: ValuesByName;
  readonly answer: GraphExplanation;
  /** That of the chosen output. */
  readonly explanation: Explanation;
  readonly step: number;
  /** Whether the exercise of the example waits for its answer. */
  readonly isAsked: boolean;
  /** Names of the examples whose exercise is done. */
  readonly answered: ReadonlySet<string>;
  /** The wire of the diagram whose numbers are shown in full, by its key. */
  readonly inspected: string | undefined;
}

/** What a person can do. */
export interface Actions {
  /** Changes one element of a leaf. */
  edit(name: string, index: number, value: number): void;
  goTo(step: number): void;
  choose(output: string): void;
  inspect(key: string): void;
  /** Ends the exercise, and shows everything. */
  answer(): void;
}

/** A part of the page. */
export interface View {
  readonly element: HTMLElement;
  update(state: State): void;
}
