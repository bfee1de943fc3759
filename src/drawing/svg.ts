import type { Diagram, DiagramNode, DiagramWire } from './diagram.ts';
import type { Layout, PlacedNode, PlacedWire, Point } from './layout.ts';
import { WIRE_GAP } from './outline.ts';
import { escapeXml, FONT_FAMILY, FONT_SIZE, LINE_HEIGHT, textWidth } from './text.ts';

/** Colours on white. */
const COLOURS = {
  text: '#1b1f24',
  detail: '#57606a',
  wire: '#6e7781',
  gate: '#eaf2fd',
  outline: '#3867a8',
  value: '#0a7a26',
  gradient: '#cf222e',
} as const;

const MARGIN = 16;
const TITLE_HEIGHT = 34;
const ARROW_WIDTH = 8;
const CORNER = 7;
/** Distances from the baseline to the top, the middle and the bottom of a line of text, in units of the font size. */
const [ASCENT, MIDDLE_TO_BASELINE, DESCENT] = [0.9, 0.35, 0.22];
const DETAIL_LINE = LINE_HEIGHT * FONT_SIZE.detail;
const VALUE_LINE = LINE_HEIGHT * FONT_SIZE.value;

/** Renders a diagram as an <svg> element, with its title, on white. */
export function svgElement(diagram: Diagram, layout: Layout): string {
  const top = MARGIN + TITLE_HEIGHT;
  const inner = Math.max(layout.width, textWidth(diagram.title, FONT_SIZE.title));
  const [width, height] = [Math.ceil(inner + 2 * MARGIN), Math.ceil(layout.height + top + MARGIN)];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${width}" height="${height}" ` +
      `viewBox="0 0 ${width} ${height}" font-family="${FONT_FAMILY}" text-anchor="middle">`,
    `<title>${escapeXml(diagram.title)}</title>`,
    `<desc>${escapeXml(describe(diagram))}</desc>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    titleOf(diagram),
    `<g transform="translate(${round((width - layout.width) / 2)} ${top})">`,
    group('wire', `fill="none" stroke="${COLOURS.wire}" stroke-width="1.5"`, layout.wires.map(pathOf)),
    group('arrow', `fill="${COLOURS.wire}"`, layout.wires.flatMap(arrowOf)),
    group('dot', `fill="${COLOURS.wire}"`, layout.nodes.flatMap(dotOf)),
    group(
      'gate',
      `fill="${COLOURS.gate}" stroke="${COLOURS.outline}" stroke-width="1.5"`,
      layout.nodes.flatMap(gateOf),
    ),
    group('label', `fill="${COLOURS.text}" font-size="${FONT_SIZE.label}"`, layout.nodes.flatMap(labelOf)),
    group('detail', `fill="${COLOURS.detail}" font-size="${FONT_SIZE.detail}"`, layout.nodes.flatMap(detailsOf)),
    group('value', `fill="${COLOURS.value}" font-size="${FONT_SIZE.value}"`, layout.wires.flatMap(valueTextOf)),
    group(
      'gradient',
      `fill="${COLOURS.gradient}" font-size="${FONT_SIZE.value}"`,
      layout.wires.flatMap(gradientTextOf),
    ),
    '</g>',
    '</svg>',
  ].join('\n');
}

/** Text alternative of the drawing, for screen readers. */
function describe({ nodes, wires }: Diagram): string {
  const nameOf = (id: string) => {
    const node = nodes.find((other) => other.id === id);
    return node?.kind === 'junction' ? 'a junction' : (node?.label ?? id);
  };
  const text = ({ from, to, value, gradient }: DiagramWire) =>
    [
      `From ${nameOf(from)} to ${nameOf(to)}`,
      value.length > 0 ? `: value ${value.join(', ')}` : '',
      gradient.length > 0 ? `${value.length > 0 ? ';' : ':'} gradient ${gradient.join(', ')}` : '',
      '.',
    ].join('');
  return `A computational graph. ${wires.map(text).join(' ')}`;
}

function titleOf({ title }: Diagram): string {
  const baseline = MARGIN + ASCENT * FONT_SIZE.title;
  return (
    `<text class="title" x="${MARGIN}" y="${round(baseline)}" font-size="${FONT_SIZE.title}" font-weight="600" ` +
    `text-anchor="start" fill="${COLOURS.text}">${escapeXml(title)}</text>`
  );
}

function group(name: string, attributes: string, elements: readonly string[]): string {
  return [`<g class="${name}" ${attributes}>`, ...elements, '</g>'].join('\n');
}

function pathOf(wire: PlacedWire): string {
  return `<path d="${pathData(wire)}"/>`;
}

/** Path of a wire, without its arrow. */
export function pathData({ curves }: PlacedWire): string {
  const parts = curves.map(([start, ...rest], i) => `${i === 0 ? 'M' : 'L'}${pair(start)}C${rest.map(pair).join(' ')}`);
  return parts.join('');
}

function arrowOf(wire: PlacedWire): string[] {
  return wire.tip ? [`<polygon points="${arrowPoints(wire)}"/>`] : [];
}

/** Corners of the arrow: a triangle from the end of the wire to its tip. */
export function arrowPoints({ curves, tip }: PlacedWire): string {
  if (!tip) return '';
  const end = curves.at(-1)!.at(-1)!;
  const scale = ARROW_WIDTH / 2 / Math.hypot(tip.x - end.x, tip.y - end.y);
  const across = { x: scale * (end.y - tip.y), y: scale * (tip.x - end.x) };
  const corners = [tip, { x: end.x + across.x, y: end.y + across.y }, { x: end.x - across.x, y: end.y - across.y }];
  return corners.map(pair).join(' ');
}

function dotOf({ shape, box }: PlacedNode): string[] {
  return shape === 'dot' ? [`<circle cx="${round(box.x)}" cy="${round(box.y)}" r="${round(box.width / 2)}"/>`] : [];
}

function gateOf({ shape, box: { x, y, width, height } }: PlacedNode): string[] {
  if (shape === 'circle') return [`<circle cx="${round(x)}" cy="${round(y)}" r="${round(width / 2)}"/>`];
  if (shape !== 'box') return [];
  const corner = `x="${round(x - width / 2)}" y="${round(y - height / 2)}"`;
  return [`<rect ${corner} width="${round(width)}" height="${round(height)}" rx="${CORNER}"/>`];
}

function labelOf(placed: PlacedNode): string[] {
  const { node, box } = placed;
  if (node.kind === 'junction') return [];
  const middle = box.y - (detailLines(node) * DETAIL_LINE) / 2;
  return [nodeText(placed, node.label, middle, FONT_SIZE.label)];
}

function detailsOf(placed: PlacedNode): string[] {
  const { node, box } = placed;
  const first = box.y + (LINE_HEIGHT * FONT_SIZE.label - (detailLines(node) - 1) * DETAIL_LINE) / 2;
  return (node.details ?? []).map((line, i) => nodeText(placed, line, first + i * DETAIL_LINE, FONT_SIZE.detail));
}

function detailLines({ details = [] }: DiagramNode): number {
  return details.length;
}

/** A line of text, centred vertically on `middle`. A leaf's text ends, and an output's begins, at its wire. */
function nodeText({ node, box }: PlacedNode, text: string, middle: number, fontSize: number): string {
  const y = middle + MIDDLE_TO_BASELINE * fontSize;
  if (node.kind === 'leaf') return textElement(text, box.x + box.width / 2 - 4, y, ' text-anchor="end"');
  if (node.kind === 'output') return textElement(text, box.x - box.width / 2 + 4, y, ' text-anchor="start"');
  return textElement(text, box.x, y);
}

function valueTextOf({ wire: { value }, label }: PlacedWire): string[] {
  return value.map((line, i) => {
    const above = WIRE_GAP + DESCENT * FONT_SIZE.value + (value.length - 1 - i) * VALUE_LINE;
    return textElement(line, label!.x, label!.y - above);
  });
}

function gradientTextOf({ wire: { gradient }, label }: PlacedWire): string[] {
  const first = WIRE_GAP + ASCENT * FONT_SIZE.value;
  return gradient.map((line, i) => textElement(line, label!.x, label!.y + first + i * VALUE_LINE));
}

function textElement(text: string, x: number, y: number, attributes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}"${attributes}>${escapeXml(text)}</text>`;
}

function pair({ x, y }: Point): string {
  return `${round(x)},${round(y)}`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
