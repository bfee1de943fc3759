import type { Diagram, DiagramNode, DiagramWire } from '../drawing/diagram.ts';
import type { ExplainedWire, Explanation } from './explanation.ts';
import type { Values } from './expression/values.ts';
import { type Detail, isAbbreviated, linesOf } from './format.ts';

const DETAIL: Detail = { digits: 3, rows: 4, columns: 4, gap: 2 };

/** Gradients of one wire, by the name of the output that they are of; the only output needs none. */
type Gradients = ReadonlyMap<string, Values>;

/** A way from a wire to an input of a gate or to an end, and the gradients that come back on it. */
interface Way {
  readonly wire: ExplainedWire;
  readonly to: string;
  readonly gradients: Gradients;
}

/** The graph as the lecture draws it: values above the wires, gradients below. Where a wire fans out there is a junction: each
 *  branch has its contribution, and the trunk their sum. Several outputs share one drawing, in which every gradient says
 *  whose it is. */
export function diagramOf(title: string, explanations: readonly Explanation[]): Diagram {
  const nodes = new Map(explanations.flatMap(nodesOf).map((node) => [node.id, node]));
  const ways = joinedWays(explanations);
  // In the order of the gates and their inputs, which the layout keeps from top to bottom.
  const wires = ways.flatMap((way): DiagramWire[] => {
    const { wire, to, gradients } = way;
    const branches = ways.filter((other) => other.wire.id === wire.id);
    const gradient = gradientLines(gradients);
    if (branches.length === 1) return [{ from: wire.id, to, value: valueLines(branches), gradient }];
    const junction = `${wire.id} junction`;
    const branch = { from: junction, to, value: [], gradient };
    if (way !== branches[0]) return [branch];
    nodes.set(junction, { id: junction, kind: 'junction', label: '' });
    const total = gradientLines(totalsOf(wire.id, explanations));
    return [{ from: wire.id, to: junction, value: valueLines(branches), gradient: total }, branch];
  });
  return { title, nodes: [...nodes.values()], wires };
}

function nodesOf({ output, leaves, gates }: Explanation): DiagramNode[] {
  return [
    ...leaves.map(({ id, name }) => ({ id, kind: 'leaf' as const, label: name })),
    ...gates.map(({ name, output: { id } }) => ({ id, kind: 'gate' as const, label: name })),
    { id: endOf(output), kind: 'output', label: output.name },
  ];
}

function endOf({ id }: ExplainedWire): string {
  return `${id} end`;
}

/** The ways of all explanations; one that several of them take has the gradients of each. */
function joinedWays(explanations: readonly Explanation[]): Way[] {
  const ways = new Map<string, Way & { readonly gradients: Map<string, Values> }>();
  for (const explanation of explanations) {
    const { output, upstream, gates } = explanation;
    const own = gates.flatMap((gate) =>
      gate.inputs.map(({ name, wire, gradient }) => ({ key: name, wire, to: gate.output.id, gradient })),
    );
    for (const { key, wire, to, gradient } of [
      ...own,
      { key: '', wire: output, to: endOf(output), gradient: upstream },
    ]) {
      const way = ways.get(`${to} ${key}`) ?? { wire, to, gradients: new Map() };
      ways.set(`${to} ${key}`, way);
      if (gradient) way.gradients.set(ownerOf(explanation, explanations), gradient);
    }
  }
  return [...ways.values()];
}

function totalsOf(id: string, explanations: readonly Explanation[]): Gradients {
  const totals = new Map<string, Values>();
  for (const explanation of explanations) {
    const wires = [...explanation.leaves, ...explanation.gates.map(({ output }) => output)];
    const gradient = wires.find((wire) => wire.id === id)?.gradient;
    if (gradient) totals.set(ownerOf(explanation, explanations), gradient);
  }
  return totals;
}

function ownerOf({ output }: Explanation, explanations: readonly Explanation[]): string {
  return explanations.length === 1 ? '' : output.name;
}

/** A named value says its name, unless a leaf or an end beside it does. */
function valueLines(ways: readonly Way[]): string[] {
  const [{ wire }] = ways;
  const isNamed = wire.kind === 'gate' && !wire.name.startsWith('#') && !ways.some(({ to }) => to === endOf(wire));
  return isNamed ? withName(`${wire.name} =`, wire.value) : textOf(wire.value);
}

function gradientLines(gradients: Gradients): string[] {
  return [...gradients].flatMap(([owner, gradient]) =>
    owner === '' ? textOf(gradient) : withName(`${owner}:`, gradient),
  );
}

function withName(name: string, values: Values): string[] {
  const lines = textOf(values);
  return lines.length === 1 ? [`${name} ${lines[0]}`] : [name, ...lines];
}

/** Figure spaces are as wide as digits, and are not collapsed. */
function textOf(values: Values): string[] {
  const lines = linesOf(values, DETAIL);
  return isAbbreviated(values, DETAIL) ? lines : lines.map((line) => line.replaceAll(' ', '\u2007'));
}
