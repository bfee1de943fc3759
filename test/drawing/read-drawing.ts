import { descendants, type Element, parseXml } from '../support/xml.ts';

interface Rectangle {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

interface Drawing {
  readonly texts: readonly (Rectangle & {
    readonly group: Element;
    readonly baseline: number;
    readonly anchor: number;
  })[];
  readonly gates: readonly Rectangle[];
  /** Points of each wire: the ends of its Bézier curves, without their control points. */
  readonly wires: readonly (readonly { readonly x: number; readonly y: number }[])[];
  readonly arrows: number;
  /** Bounds of the whole drawing, in the same coordinates. */
  readonly size: Rectangle;
  readonly root: Element;
}

/** Reads the content and geometry of a drawing from its SVG. A character counts as 0.56 of the font size wide, like the
 *  digits of Helvetica. */
export function readDrawing(svg: string): Drawing {
  const root = parseXml(svg);
  const groups = descendants(root).filter(({ name, attributes }) => name === 'g' && attributes.class);
  const group = (name: string) => groups.find(({ attributes }) => attributes.class === name)!;
  const number = (element: Element, name: string) => Number(element.attributes[name]);
  const texts = groups.flatMap((parent) =>
    parent.children.flatMap((child) => {
      if (child.name !== 'text') return [];
      const [x, baseline, size] = [number(child, 'x'), number(child, 'y'), number(parent, 'font-size')];
      const width = 0.56 * size * [...child.text].length;
      const left = x - width * ({ start: 0, end: 1 }[child.attributes['text-anchor']] ?? 0.5);
      const sides = { left, right: left + width, top: baseline - 0.75 * size, bottom: baseline + 0.2 * size };
      return [{ text: child.text, group: parent, baseline, anchor: x, ...sides }];
    }),
  );
  const gates = group('gate').children.map((shape) => {
    const [cx, cy, r] = ['cx', 'cy', 'r'].map((name) => number(shape, name));
    if (shape.name === 'circle') return { text: 'gate', left: cx - r, right: cx + r, top: cy - r, bottom: cy + r };
    const [left, top, width, height] = ['x', 'y', 'width', 'height'].map((name) => number(shape, name));
    return { text: 'gate', left, right: left + width, top, bottom: top + height };
  });
  const wires = group('wire').children.map(({ attributes }) => {
    const points = [...attributes.d.matchAll(/(-?[\d.]+),(-?[\d.]+)/g)].map(([, x, y]) => ({ x: +x, y: +y }));
    // Each part has a start and three points for each curve.
    const parts = attributes.d
      .split(/[ML]/)
      .slice(1)
      .map((part) => part.match(/,/g)!.length);
    let at = 0;
    return parts.flatMap((count) => points.slice(at, (at += count)).filter((_, i) => i % 3 === 0));
  });
  const shift = root.children.find(({ attributes }) => attributes.transform)!.attributes.transform;
  const [left, top] = shift.match(/[\d.]+/g)!.map((length) => -length);
  const size = {
    text: 'drawing',
    left,
    right: left + number(root, 'width'),
    top,
    bottom: top + number(root, 'height'),
  };
  return { texts, gates, wires, size, arrows: group('arrow').children.length, root };
}

export function overlap(a: Rectangle, b: Rectangle): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

export function contains(outer: Rectangle, inner: Rectangle): boolean {
  return (
    outer.left <= inner.left && inner.right <= outer.right && outer.top <= inner.top && inner.bottom <= outer.bottom
  );
}
