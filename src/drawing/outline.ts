import type { DiagramNode, DiagramWire } from './diagram.ts';
import { FONT_SIZE, LINE_HEIGHT, textWidth } from './text.ts';

// The space that each part of a diagram needs. All lengths are in pixels.

export type Shape = 'text' | 'circle' | 'box' | 'dot';

/** Where the wires lead. Text is above and below a wire to the right; all of it is at the right of a wire down. */
export type Direction = 'right' | 'down';

export interface Size {
  readonly width: number;
  readonly height: number;
}

const GATE_HEIGHT = 46;
const DOT_DIAMETER = 8;
const TEXT_PADDING = 6;
/** Length of bare wire on either side of the text. */
const LABEL_PADDING = 10;
/** Distance between a wire and the text above or below it. */
export const WIRE_GAP = 4;

export interface Outline {
  readonly shape: Shape;
  readonly width: number;
  readonly height: number;
}

/** Gives all leaves at the left the width of the widest, so that every name ends where its wire begins. */
export function outlinesOf(nodes: readonly DiagramNode[], direction: Direction): Outline[] {
  const leaves = direction === 'right' ? nodes.filter(({ kind }) => kind === 'leaf') : [];
  const leafWidth = Math.max(0, ...leaves.map(widthOf));
  return nodes.map((node) =>
    outlineOf(node, node.kind === 'leaf' ? Math.max(leafWidth, widthOf(node)) : widthOf(node)),
  );
}

function outlineOf({ kind, details = [] }: DiagramNode, width: number): Outline {
  const height = LINE_HEIGHT * (FONT_SIZE.label + details.length * FONT_SIZE.detail);
  if (kind === 'junction') return { shape: 'dot', width: DOT_DIAMETER, height: DOT_DIAMETER };
  if (kind !== 'gate') return { shape: 'text', width: width + TEXT_PADDING, height };
  const fitsCircle = width <= GATE_HEIGHT - 6 && details.length === 0;
  return fitsCircle
    ? { shape: 'circle', width: GATE_HEIGHT, height: GATE_HEIGHT }
    : { shape: 'box', width: width + 24, height: Math.max(GATE_HEIGHT, height + 14) };
}

function widthOf({ label, details = [] }: DiagramNode): number {
  return Math.max(textWidth(label, FONT_SIZE.label), ...details.map((line) => textWidth(line, FONT_SIZE.detail)));
}

export function hasText({ value, gradient }: DiagramWire): boolean {
  return value.length + gradient.length > 0;
}

/** The space that the text of a wire needs. */
export function textSize({ value, gradient }: DiagramWire, direction: Direction): Size {
  const width = Math.max(...[...value, ...gradient].map((line) => textWidth(line, FONT_SIZE.value)));
  const line = LINE_HEIGHT * FONT_SIZE.value;
  return direction === 'right'
    ? { width: width + 2 * LABEL_PADDING, height: 2 * (WIRE_GAP + Math.max(value.length, gradient.length) * line) }
    : { width: width + 2 * WIRE_GAP, height: (value.length + gradient.length) * line + 2 * WIRE_GAP };
}
