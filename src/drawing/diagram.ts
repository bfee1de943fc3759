/** Content of a drawing of a computational graph: nodes, wires and their text, before layout. */
export interface Diagram {
  readonly title: string;
  readonly nodes: readonly DiagramNode[];
  readonly wires: readonly DiagramWire[];
}

export interface DiagramNode {
  /** Unique in the diagram. */
  readonly id: string;
  /** - `leaf`: an input or a parameter, shown as its name
   *  - `gate`: an operation, in a circle, or in a rounded box if its name is long
   *  - `junction`: a dot without text where a wire fans out
   *  - `output`: an end of the graph, shown as its name */
  readonly kind: 'leaf' | 'gate' | 'junction' | 'output';
  readonly label: string;
  /** Lines in small type under the label, such as a parameter count. */
  readonly details?: readonly string[];
}

/** A wire with text as in the lecture: lines of the value above it in green, of the gradient below it in red. */
export interface DiagramWire {
  readonly from: string;
  readonly to: string;
  readonly value: readonly string[];
  readonly gradient: readonly string[];
  /** Whether the wire is on the main line of the graph, which is kept straight. */
  readonly isStraight?: boolean;
  /** Identifies the wire for the caller. */
  readonly key?: string;
}
