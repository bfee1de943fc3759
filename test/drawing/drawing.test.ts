import { describe, expect, it } from 'vitest';
import type { Diagram, DiagramNode, DiagramWire } from '../../src/drawing/diagram.ts';
import { renderSvg } from '../../src/drawing/render.ts';
import { Random } from '../../src/random.ts';
import { descendants } from '../support/xml.ts';
import { contains, overlap, readDrawing } from './read-drawing.ts';

const leaf = (id: string, ...details: string[]): DiagramNode => ({ id, kind: 'leaf', label: id, details });
const gate = (id: string, label: string): DiagramNode => ({ id, kind: 'gate', label });
const junction = (id: string): DiagramNode => ({ id, kind: 'junction', label: '' });
const output = (id: string): DiagramNode => ({ id, kind: 'output', label: id });
const wire = (from: string, to: string, value: string[] | string, gradient: string[] | string): DiagramWire => ({
  from,
  to,
  value: [value].flat(),
  gradient: [gradient].flat(),
});

/** First example of the lecture. */
const PRODUCT: Diagram = {
  title: 'f(x, y, z) = (x + y) z',
  nodes: [leaf('x'), leaf('y'), leaf('z'), gate('q', '+'), gate('m', '×'), output('f')],
  wires: [
    wire('x', 'q', '-2', '-4'),
    wire('y', 'q', '5', '-4'),
    wire('q', 'm', '3', '-4'),
    wire('z', 'm', '-4', '3'),
    wire('m', 'f', '-12', '1'),
  ],
};

const BRANCH: Diagram = {
  title: 'f(x, y) = (x + y) x',
  nodes: [leaf('x'), leaf('y'), junction('j'), gate('q', '+'), gate('m', '×'), output('f')],
  wires: [
    wire('x', 'j', '3', '2'),
    wire('j', 'q', '3', '3'),
    wire('y', 'q', '-4', '3'),
    wire('j', 'm', '3', '-1'),
    wire('q', 'm', '-1', '3'),
    wire('m', 'f', '-3', '1'),
  ],
};

const NETWORK: Diagram = {
  title: 'A two-layer network',
  nodes: [
    leaf('images [256, 3072]'),
    leaf('fc1.weight [512, 3072]', '1,572,864 parameters'),
    gate('fc1', 'linear'),
    gate('loss gate', 'softmax cross-entropy'),
    leaf('labels'),
    output('loss'),
  ],
  wires: [
    wire('images [256, 3072]', 'fc1', ['[256, 3072]', 'mean |value| 0.82'], []),
    wire('fc1.weight [512, 3072]', 'fc1', ['[512, 3072]', 'mean |value| 0.0131'], 'mean |gradient| 1.2e-4'),
    wire('fc1', 'loss gate', ['[256, 512]', 'mean |value| 0.61', '52 % zero'], ['mean |gradient| 2.0e-6', 'rms 5e-6']),
    wire('labels', 'loss gate', [], []),
    wire('loss gate', 'loss', '1.4603', '1'),
  ],
};

/** Random gates with one to three inputs, and a junction wherever a value is used more than once. */
function randomDiagram(seed: number): Diagram {
  const random = new Random(seed, 'diagram');
  const lines = (letter: string) =>
    Array.from({ length: random.integer(4) }, () => letter.repeat(1 + random.integer(12)));
  const leaves = Array.from({ length: 1 + random.integer(5) }, (_, i) => leaf(`leaf${i}`, ...lines('d').slice(0, 1)));
  const gates = Array.from({ length: 1 + random.integer(12) }, (_, i) =>
    gate(`gate${i}`, random.integer(2) ? '+' : 'a long name'),
  );
  const before = [...leaves, ...gates];
  const links = gates.flatMap(({ id }, i) =>
    Array.from({ length: 1 + random.integer(3) }, () => [before[random.integer(leaves.length + i)].id, id]),
  );
  const uses = (id: string) => links.filter(([from]) => from === id).length;
  const forked = before.filter(({ id }) => uses(id) > 1);
  const ends = gates.filter(({ id }) => uses(id) === 0);
  return {
    title: `random ${seed}`,
    nodes: [
      ...before,
      ...forked.map(({ id }) => junction(`fork of ${id}`)),
      ...ends.map(({ id }) => output(`end of ${id}`)),
    ],
    wires: [
      ...forked.map(({ id }) => wire(id, `fork of ${id}`, lines('v'), lines('g'))),
      ...ends.map(({ id }) => wire(id, `end of ${id}`, lines('v'), lines('g'))),
      ...links.map(([from, to]) => wire(uses(from) > 1 ? `fork of ${from}` : from, to, lines('v'), lines('g'))),
    ],
  };
}

const RANDOM = Array.from({ length: 20 }, (_, i) => randomDiagram(i));

describe.each([PRODUCT, BRANCH, NETWORK, ...RANDOM])('the drawing of $title', async (diagram) => {
  const { texts, gates, wires, arrows, size, root } = readDrawing(await renderSvg(diagram));
  const textsIn = (name: string) => texts.filter(({ group }) => group.attributes.class === name);

  it('shows every text once, and an arrow at every wire that does not end at a junction', () => {
    const named = diagram.nodes.filter(({ kind }) => kind !== 'junction');
    expect(textsIn('label').map(({ text }) => text)).toEqual(named.map(({ label }) => label));
    expect(textsIn('detail').map(({ text }) => text)).toEqual(named.flatMap(({ details = [] }) => details));
    expect(textsIn('value').map(({ text }) => text)).toEqual(diagram.wires.flatMap(({ value }) => value));
    expect(textsIn('gradient').map(({ text }) => text)).toEqual(diagram.wires.flatMap(({ gradient }) => gradient));
    const kindOf = (id: string) => diagram.nodes.find((node) => node.id === id)!.kind;
    expect(arrows).toBe(diagram.wires.filter(({ to }) => kindOf(to) !== 'junction').length);
  });

  it('keeps every text inside the drawing and clear of other texts and gates', () => {
    const clashes = texts.flatMap((text, i) => [
      ...texts.slice(0, i).filter((other) => overlap(text, other)),
      ...gates.filter((shape) => overlap(text, shape) && !contains(shape, text)),
      ...(contains(size, text) ? [] : [size]),
    ]);
    expect(clashes).toEqual([]);
  });

  it('has the value in green above a horizontal part of its wire, and the gradient in red below it', () => {
    const [values, gradients] = [textsIn('value'), textsIn('gradient')].map((found) => found.values());
    for (const [i, { value, gradient }] of diagram.wires.entries()) {
      const above = value.map(() => values.next().value!);
      const below = gradient.map(() => gradients.next().value!);
      for (const text of [...above, ...below]) {
        const after = wires[i].findIndex(({ x }) => x >= text.right);
        const [start, end] = [wires[i][after - 1], wires[i][after]];
        expect(start.x).toBeLessThanOrEqual(text.left);
        expect(start.y).toBeCloseTo(end.y, 1);
        if (above.includes(text)) expect(text.bottom).toBeLessThan(start.y);
        else expect(text.top).toBeGreaterThan(start.y);
      }
    }
    const colour = (name: string) => {
      const { fill } = descendants(root).find(({ attributes }) => attributes.class === name)!.attributes;
      return [1, 3, 5].map((at) => Number.parseInt(fill.slice(at, at + 2), 16));
    };
    const [green, red] = [colour('value'), colour('gradient')];
    expect(green[1]).toBeGreaterThan(2 * Math.max(green[0], green[2]));
    expect(red[0]).toBeGreaterThan(2 * Math.max(red[1], red[2]));
  });

  it('runs from left to right, with all leaves at the left', () => {
    for (const points of wires) expect(points[0].x).toBeLessThan(points.at(-1)!.x);
    const leaves = diagram.nodes.flatMap(({ kind, label }) => (kind === 'leaf' ? [label] : []));
    const ends = textsIn('label').filter(({ text }) => leaves.includes(text));
    for (const { anchor } of ends) expect(anchor).toBe(ends[0].anchor);
  });
});

it('draws the inputs of a gate in order from top to bottom', async () => {
  const { texts } = readDrawing(await renderSvg(PRODUCT));
  const [x, y, z] = ['x', 'y', 'z'].map((name) => texts.find(({ text }) => text === name)!.baseline);
  expect(x).toBeLessThan(y);
  expect(y).toBeLessThan(z);
});

const HOSTILE = ['<script>alert("x")</script>', "a & b ]]> 'c'", '</text></svg>', '‖Wᵀ×x‖²', '\0\ud800￿', '-->'];
const hostile: Diagram = {
  title: HOSTILE.join(' '),
  nodes: [leaf(HOSTILE[0], HOSTILE[1]), gate(HOSTILE[2], HOSTILE[2]), output(HOSTILE[3])],
  wires: [wire(HOSTILE[0], HOSTILE[2], HOSTILE[4], HOSTILE[5]), wire(HOSTILE[2], HOSTILE[3], HOSTILE[1], HOSTILE[0])],
};

it('escapes every text and replaces characters that XML does not allow', async () => {
  const { texts, root } = readDrawing(await renderSvg(hostile));
  const shown = texts.map(({ text }) => text);
  for (const text of HOSTILE) expect(shown).toContain(text.replace(/[\0\ud800\uffff]/gu, '\ufffd'));
  expect(root.children.map(({ name }) => name).slice(0, 2)).toEqual(['title', 'desc']);
  expect(descendants(root).map(({ name }) => name)).not.toContain('script');
});

it('rejects a wire that ends at an unknown node', async () => {
  await expect(renderSvg({ ...PRODUCT, nodes: PRODUCT.nodes.slice(1) })).rejects.toThrow("ends at 'x'");
});
