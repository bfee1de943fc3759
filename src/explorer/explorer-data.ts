import type { Nested } from '../explain/expression/values.ts';

/** What a page of a graph to explore contains, as JSON. */
export interface ExplorerData {
  /** Name and version of the program that wrote the page. */
  readonly generator: string;
  /** Name of an example of the lecture, or an expression. */
  readonly what: string;
  /** Values of its variables, or of those that differ from the example's. */
  readonly values: Readonly<Record<string, Nested>>;
  /** Gradient to start from, as parsed JSON, if it is neither ones nor the example's. */
  readonly upstream?: unknown;
  /** Whether the page lists all examples of the lecture, with their exercises. */
  readonly isLecture?: true;
}
