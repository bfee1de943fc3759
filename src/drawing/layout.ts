import type { Attributes, Edge, Graph, Node, Subgraph } from '@viz-js/viz';
import type { Diagram, DiagramNode, DiagramWire } from './diagram.ts';
import { type Direction, hasText, type Outline, outlinesOf, type Shape, type Size, textSize } from './outline.ts';

// All lengths are in pixels, and y points down. Graphviz reads them as points, 72 per inch.

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A rectangle, by its centre and size. */
export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

export interface PlacedNode {
  readonly node: DiagramNode;
  readonly shape: Shape;
  readonly box: Box;
}

export interface PlacedWire {
  readonly wire: DiagramWire;
  /** Cubic Bézier curves of 1 + 3n points each, joined by straight lines. */
  readonly curves: readonly (readonly Point[])[];
  /** Tip of the arrow, beyond the last point; undefined at a junction. */
  readonly tip: Point | undefined;
  /** Space for the text. The wire crosses its middle horizontally. */
  readonly label: Box | undefined;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly wires: readonly PlacedWire[];
}

/** Curves that are drawn straight: how far their ends are out of line at most, and how far apart. */
const [MAX_BEND, MAX_BENT_LENGTH] = [10, 60];

export interface LayoutOptions {
  /** Default: to the right. */
  readonly direction?: Direction;
  /** Whether leaves stand beside the gates that use them. By default all of them stand in the first row. */
  readonly leavesAtGates?: true;
  /** Least space for the text of a wire. Default: what its text needs. */
  readonly room?: (wire: DiagramWire) => Size;
}

/** Places nodes and wires in one direction without overlaps. The text of a wire becomes a node of the layout, between the
 *  two halves of the wire. */
export async function layOut(
  diagram: Diagram,
  { direction = 'right', leavesAtGates, room }: LayoutOptions = {},
): Promise<Layout> {
  const { instance } = await import('@viz-js/viz');
  const viz = await instance();
  const outlines = outlinesOf(diagram.nodes, direction);
  const sizeOf = (wire: DiagramWire) => larger(textSize(wire, direction), room?.(wire));
  const graph = graphOf(diagram, outlines, direction, sizeOf);
  const placed = leavesAtGates ? graph : { ...graph, subgraphs: [firstRow(diagram.nodes)] };
  const output = viz.renderString(placed, { format: 'json0', yInvert: true });
  return readLayout(diagram, outlines, JSON.parse(output));
}

function larger(size: Size, other: Size = size): Size {
  return { width: Math.max(size.width, other.width), height: Math.max(size.height, other.height) };
}

function graphOf(
  { nodes, wires }: Diagram,
  outlines: readonly Outline[],
  direction: Direction,
  sizeOf: (wire: DiagramWire) => Size,
): Graph {
  const indexOf = (id: string) => {
    const index = nodes.findIndex((node) => node.id === id);
    if (index < 0) throw new Error(`a wire of the diagram ends at '${id}', which is not one of its nodes`);
    return index;
  };
  return {
    directed: true,
    graphAttributes: { ...SPACING[direction], ordering: 'in' },
    nodeAttributes: { label: '', fixedsize: true },
    edgeAttributes: { tailport: PORTS[direction].out, arrowsize: 0.9 },
    nodes: [
      ...outlines.map((outline, i) => layoutNode(`node${i}`, outline)),
      ...wires.flatMap((wire, i) => (hasText(wire) ? [layoutNode(`text${i}`, { shape: 'box', ...sizeOf(wire) })] : [])),
    ],
    edges: wires.flatMap((wire, i) => edgesOf(wire, i, nodes, indexOf, PORTS[direction])),
  };
}

/** Puts all leaves into the first row. */
function firstRow(nodes: readonly DiagramNode[]): Subgraph {
  return {
    graphAttributes: { rank: 'min' },
    nodes: nodes.flatMap(({ kind }, i) => (kind === 'leaf' ? [{ name: `node${i}` }] : [])),
  };
}

/** How hard Graphviz tries to keep a wire straight, before and after its text. The first keeps the text next to the node that
 *  the wire comes from, at the same height. */
const WEIGHTS = { usual: [8, 4], straight: [1000, 1000] } as const;

const SPACING = {
  right: { rankdir: 'LR', nodesep: 0.2, ranksep: 0.34 },
  down: { rankdir: 'TB', nodesep: 0.08, ranksep: 0.22 },
} as const;

/** Where wires enter and leave a node, and the space for their text. */
const PORTS = {
  right: { in: 'w', out: 'e', textIn: 'w', textOut: 'e' },
  down: { in: 'n', out: 's', textIn: 'nw', textOut: 'sw' },
} as const;

/** Returns the edge of a wire, or the two edges on either side of its text. */
function edgesOf(
  wire: DiagramWire,
  i: number,
  nodes: readonly DiagramNode[],
  indexOf: (id: string) => number,
  ports: (typeof PORTS)[Direction],
): Edge[] {
  const [from, to] = [indexOf(wire.from), indexOf(wire.to)];
  const [tail, head, text] = [`node${from}`, `node${to}`, `text${i}`];
  const into: Attributes = nodes[to].kind === 'junction' ? { headport: ports.in, dir: 'none' } : {};
  // Wires that fan out need some room to separate.
  const out: Attributes = nodes[from].kind === 'junction' ? { minlen: 2 } : {};
  if (!hasText(wire)) return [{ tail, head, attributes: { id: `${i}`, ...out, ...into } }];
  const [before, after] = WEIGHTS[wire.isStraight ? 'straight' : 'usual'];
  const inPort: Attributes = wire.isStraight ? { headport: ports.in } : {};
  return [
    { tail, head: text, attributes: { id: `${i} first`, headport: ports.textIn, dir: 'none', weight: before, ...out } },
    { tail: text, head, attributes: { id: `${i} second`, tailport: ports.textOut, weight: after, ...inPort, ...into } },
  ];
}

function layoutNode(name: string, { shape, width, height }: Outline): Node {
  const isRound = shape === 'circle' || shape === 'dot';
  return { name, attributes: { shape: isRound ? 'circle' : 'box', width: width / 72, height: height / 72 } };
}

/** Output of Graphviz in the format `json0`. */
interface Output {
  /** 'left,bottom,right,top' */
  readonly bb: string;
  /** Nodes, with their centre 'x,y' and size in inches, and groups of nodes, which have no position. */
  readonly objects?: readonly {
    readonly name: string;
    readonly pos?: string;
    readonly width: string;
    readonly height: string;
  }[];
  /** Points 'x,y x,y …', preceded by the tip 'e,x,y' if there is an arrow. */
  readonly edges?: readonly { readonly id: string; readonly pos: string }[];
}

function readLayout({ nodes, wires }: Diagram, outlines: readonly Outline[], output: Output): Layout {
  const boxes = new Map<string, Box>();
  for (const { name, pos, width, height } of output.objects ?? []) {
    if (pos) boxes.set(name, { ...readPoint(pos), width: 72 * Number(width), height: 72 * Number(height) });
  }
  const edges = new Map(output.edges?.map(({ id, pos }) => [id, pos.split(' ')]));
  const [left, bottom, right, top] = output.bb.split(',').map(Number);
  return {
    width: right - left,
    height: Math.abs(bottom - top),
    nodes: nodes.map((node, i) => ({ node, shape: outlines[i].shape, box: boxes.get(`node${i}`)! })),
    wires: wires.map((wire, i) => {
      const ids = hasText(wire) ? [`${i} first`, `${i} second`] : [`${i}`];
      const words = ids.map((id) => edges.get(id)!);
      const tip = words.at(-1)!.find(isTip);
      return {
        wire,
        curves: words.map((points) => straightened(points.filter((word) => !isTip(word)).map(readPoint))),
        tip: tip === undefined ? undefined : readPoint(tip.slice(2)),
        label: boxes.get(`text${i}`),
      };
    }),
  };
}

/** Draws a short curve straight if its ends are nearly in line: Graphviz bends it around the corner of a text. */
function straightened(curve: readonly Point[]): readonly Point[] {
  const [start, end] = [curve[0], curve.at(-1)!];
  const isBent = Math.abs(end.x - start.x) < MAX_BEND && Math.abs(end.y - start.y) < MAX_BENT_LENGTH;
  return isBent ? [start, start, end, end] : curve;
}

function isTip(word: string): boolean {
  return word.startsWith('e,');
}

function readPoint(text: string): Point {
  const [x, y] = text.split(',').map(Number);
  return { x, y };
}
