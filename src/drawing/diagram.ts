/** A drawing of a computational graph as data: what is to be laid out, and the text on it. */
export interface Diagram {
  readonly title: string;
  readonly nodes: readonly DiagramNode[];
  readonly wires: readonly DiagramWire[];
}

export interface DiagramNode {
  /** Unique in the diagram. */
  readonly id: string;
  /** - `leaf`: an input or a parameter, shown as its name
   *  - `gate`: an operation, in a circle or, where its name is long, a rounded box
   *  - `junction`: a dot where a wire fans out, without text
   *  - `output`: where the graph ends, shown as its name */
  readonly kind: 'leaf' | 'gate' | 'junction' | 'output';
  readonly label: string;
  /** Small lines under the label, such as a count of parameters. */
  readonly details?: readonly string[];
}

/** A wire, with lines of text as in the lecture: the value above it in green, the gradient below it in red. */
export interface DiagramWire {
  readonly from: string;
  readonly to: string;
  readonly value: readonly string[];
  readonly gradient: readonly string[];
}
