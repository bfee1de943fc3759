import type { Diagram, DiagramWire } from '../../../drawing/diagram.ts';
import type { Layout, PlacedNode, PlacedWire } from '../../../drawing/layout.ts';
import { type Direction, WIRE_GAP } from '../../../drawing/outline.ts';
import { arrowPoints, pathData } from '../../../drawing/svg.ts';
import { FONT_SIZE, LINE_HEIGHT } from '../../../drawing/text.ts';
import { s } from '../../../report/page/dom.ts';

const MARGIN = 12;
const MAX_SCALE = 1.5;
const LINE = LINE_HEIGHT * FONT_SIZE.value;
const DETAIL_LINE = LINE_HEIGHT * FONT_SIZE.detail;
/** Distances from the baseline of a line of text to its top, middle and bottom, in font sizes. */
const [ASCENT, MIDDLE, DESCENT] = [0.9, 0.35, 0.22];

/** What a picture shows of a diagram. Wires are named by their keys. */
export interface Shown {
  readonly diagram: Diagram;
  isValueKnown(key: string): boolean;
  isGradientKnown(key: string): boolean;
  isActive(key: string): boolean;
  nameOf(key: string): string;
  /** Node of the gate at work. */
  readonly gate: string | undefined;
  readonly inspected: string | undefined;
  /** The wire whose gradient is asked for: it has a question mark until the gradient is known. */
  readonly asked: string | undefined;
}

interface Label {
  readonly key: string;
  readonly group: SVGElement;
  readonly wire: SVGElement;
  readonly placed: PlacedWire;
}

/** A laid out graph as SVG, whose texts can be changed. */
export class Picture {
  readonly element: SVGElement;
  readonly #size: { readonly width: number; readonly height: number };
  readonly #direction: Direction;
  readonly #labels: readonly Label[];
  readonly #gates = new Map<string, SVGElement>();

  /** @param inspect called with the key of a wire that a person points at or goes to. */
  constructor(layout: Layout, direction: Direction, inspect: (key: string) => void) {
    this.#direction = direction;
    this.#size = { width: layout.width + 2 * MARGIN, height: layout.height + 2 * MARGIN };
    this.#labels = layout.wires.map((placed) => labelOf(placed, inspect));
    const nodes = layout.nodes.map((placed) => {
      const drawn = nodeOf(placed, direction);
      if (placed.node.kind === 'gate') this.#gates.set(placed.node.id, drawn);
      return drawn;
    });
    this.element = s(
      'svg',
      {
        viewBox: `${-MARGIN} ${-MARGIN} ${this.#size.width} ${this.#size.height}`,
        role: 'group',
        'aria-label': 'Graph',
      },
      this.#labels.map(({ wire }) => wire),
      nodes,
      this.#labels.filter(({ placed }) => placed.label).map(({ group }) => group),
    );
  }

  /** @param least and most scale; a graph that is too wide at the least scrolls. */
  fit(available: number, least = 1, most = MAX_SCALE): void {
    const scale = Math.min(most, Math.max(least, available / this.#size.width));
    this.element.setAttribute('width', String(Math.floor(this.#size.width * scale)));
    this.element.setAttribute('height', String(Math.floor(this.#size.height * scale)));
  }

  show(shown: Shown): void {
    for (const [id, gate] of this.#gates) gate.classList.toggle('active', id === shown.gate);
    for (const [i, label] of this.#labels.entries()) {
      const isActive = shown.isActive(label.key);
      label.wire.classList.toggle('active', isActive);
      label.group.classList.toggle('active', isActive);
      label.group.classList.toggle('inspected', label.key === shown.inspected);
      if (label.placed.label) this.#write(label, shown.diagram.wires[i], shown);
    }
  }

  #write({ key, group, placed }: Label, wire: DiagramWire, shown: Shown): void {
    const value = shown.isValueKnown(key) ? wire.value : [];
    const isKnown = shown.isGradientKnown(key);
    const gradient = isKnown ? wire.gradient : key === shown.asked ? ['?'] : [];
    const spoken = [
      shown.nameOf(key),
      value.length > 0 ? `value ${value.join(', ')}` : '',
      isKnown && gradient.length > 0 ? `gradient ${gradient.join(', ')}` : '',
      !isKnown && gradient.length > 0 ? 'its gradient is asked for' : '',
    ].filter((text) => text !== '');
    const label = spoken.join(', ');
    if (group.getAttribute('aria-label') === label) return;
    group.setAttribute('aria-label', label);
    const texts = this.#direction === 'right' ? beside(placed, value, gradient) : below(placed, wire, value, gradient);
    group.replaceChildren(group.firstChild!, ...texts);
  }
}

function labelOf(placed: PlacedWire, inspect: (key: string) => void): Label {
  const key = placed.wire.key!;
  const wire = s(
    'g',
    { class: 'wire' },
    s('path', { d: pathData(placed) }),
    placed.tip ? s('polygon', { points: arrowPoints(placed) }) : null,
  );
  const { x, y, width, height } = placed.label ?? { x: 0, y: 0, width: 0, height: 0 };
  const area = s('rect', { class: 'area', x: x - width / 2, y: y - height / 2, width, height, rx: 4 });
  const group = s('g', { class: 'label', tabindex: 0, role: 'img', 'data-key': key }, area);
  for (const event of ['pointerenter', 'focus', 'click']) group.addEventListener(event, () => inspect(key));
  return { key, group, wire, placed };
}

/** Values above the wire, gradients below. */
function beside({ label }: PlacedWire, value: readonly string[], gradient: readonly string[]): SVGElement[] {
  const { x, y } = label!;
  const lowest = y - WIRE_GAP - DESCENT * FONT_SIZE.value;
  const highest = y + WIRE_GAP + ASCENT * FONT_SIZE.value;
  return [
    ...value.map((line, i) => text('value', line, x, lowest - (value.length - 1 - i) * LINE, 'middle')),
    ...gradient.map((line, i) => text('gradient', line, x, highest + i * LINE, 'middle')),
  ];
}

/** Values and, below them, gradients at the right of a wire that leads down. Unknown ones leave their space empty. */
function below(
  { label }: PlacedWire,
  wire: DiagramWire,
  value: readonly string[],
  gradient: readonly string[],
): SVGElement[] {
  const { x, y, width, height } = label!;
  const left = x - width / 2 + 2 * WIRE_GAP;
  const first = y - height / 2 + WIRE_GAP + ASCENT * FONT_SIZE.value;
  return [
    ...value.map((line, i) => text('value', line, left, first + i * LINE, 'start')),
    ...gradient.map((line, i) => text('gradient', line, left, first + (wire.value.length + i) * LINE, 'start')),
  ];
}

function nodeOf(placed: PlacedNode, direction: Direction): SVGElement {
  const { node, shape, box } = placed;
  const { x, y, width, height } = box;
  const group = (...children: SVGElement[]) => s('g', { class: node.kind, 'data-node': node.id }, children);
  const baseline = y + MIDDLE * FONT_SIZE.label;
  if (node.kind === 'junction') return group(s('circle', { cx: x, cy: y, r: width / 2 }));
  if (node.kind === 'gate') {
    const outline =
      shape === 'circle'
        ? s('circle', { cx: x, cy: y, r: width / 2 })
        : s('rect', { x: x - width / 2, y: y - height / 2, width, height, rx: 7 });
    const details = node.details ?? [];
    const raised = (details.length * DETAIL_LINE) / 2;
    const lower = baseline + MIDDLE * FONT_SIZE.label + raised;
    return group(
      outline,
      text('name', node.label, x, baseline - raised, 'middle'),
      ...details.map((line, i) => text('detail', line, x, lower + i * DETAIL_LINE, 'middle')),
    );
  }
  if (direction === 'down') return group(text('name', node.label, x, baseline, 'middle'));
  return node.kind === 'leaf'
    ? group(text('name', node.label, x + width / 2 - 4, baseline, 'end'))
    : group(text('name', node.label, x - width / 2 + 4, baseline, 'start'));
}

function text(kind: string, content: string, x: number, y: number, anchor: 'start' | 'middle' | 'end'): SVGElement {
  return s('text', { class: kind, x, y, 'text-anchor': anchor }, content);
}
