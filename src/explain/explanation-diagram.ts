import type { Diagram, DiagramNode, DiagramWire } from '../drawing/diagram.ts';
import type { ExplainedGate, ExplainedWire, Explanation } from './explanation.ts';
import type { Values } from './expression/values.ts';
import { type Detail, isAbbreviated, linesOf } from './format.ts';

const DETAIL: Detail = { digits: 3, rows: 4, columns: 4, gap: 2 };

/** Gradients on one wire, by the name of the differentiated output; the name is empty if there is only one output. */
type Gradients = ReadonlyMap<string, Values>;

/** Connection from a wire to an input of a gate or to the end of the graph, and the gradients that flow back on it. */
interface Connection {
  readonly key: string;
  readonly wire: ExplainedWire;
  readonly to: string;
  readonly gradients: Gradients;
}

/** Draws the graph as in the lecture: values above the wires, gradients below. A wire that fans out gets a junction:
 *  each branch shows its contribution, and the trunk their sum. Several outputs share one drawing, with every gradient
 *  labelled by its output. */
export function diagramOf(title: string, explanations: readonly Explanation[]): Diagram {
  const nodes = new Map(explanations.flatMap(nodesOf).map((node) => [node.id, node]));
  const connections = mergeConnections(explanations);
  // The layout keeps this order, of the gates and their inputs, from top to bottom.
  const wires = connections.flatMap((connection): DiagramWire[] => {
    const { key, wire, to, gradients } = connection;
    const branches = connections.filter((other) => other.wire.id === wire.id);
    const gradient = gradientLines(gradients);
    if (branches.length === 1) return [{ key, from: wire.id, to, value: valueLines(branches), gradient }];
    const junction = `${wire.id} junction`;
    const branch = { key, from: junction, to, value: [], gradient };
    if (connection !== branches[0]) return [branch];
    nodes.set(junction, { id: junction, kind: 'junction', label: '' });
    const total = gradientLines(totalsOf(wire.id, explanations));
    return [{ key: wire.id, from: wire.id, to: junction, value: valueLines(branches), gradient: total }, branch];
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

/** Key of the wire from an input to a gate, in the diagram. Where the input branches, its trunk has the key of the input. */
export function inputKey({ output }: ExplainedGate, input: string): string {
  return `${output.id} ${input}`;
}

/** Key of the wire from an output to the end of the graph. */
export function endOf({ id }: ExplainedWire): string {
  return `${id} end`;
}

/** Connections of all explanations. A shared one has the gradients of each explanation. */
function mergeConnections(explanations: readonly Explanation[]): Connection[] {
  const connections = new Map<string, Connection & { readonly gradients: Map<string, Values> }>();
  for (const explanation of explanations) {
    const { output, upstream, gates } = explanation;
    const toGates = gates.flatMap((gate) =>
      gate.inputs.map(({ name, wire, gradient }) => ({
        key: inputKey(gate, name),
        wire,
        to: gate.output.id,
        gradient,
      })),
    );
    const toEnd = { key: endOf(output), wire: output, to: endOf(output), gradient: upstream };
    for (const { key, wire, to, gradient } of [...toGates, toEnd]) {
      const connection = connections.get(key) ?? { key, wire, to, gradients: new Map() };
      connections.set(key, connection);
      if (gradient) connection.gradients.set(ownerOf(explanation, explanations), gradient);
    }
  }
  return [...connections.values()];
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

/** A named value shows its name, unless an adjacent leaf or end does. */
function valueLines(connections: readonly Connection[]): string[] {
  const [{ wire }] = connections;
  const isNamed =
    wire.kind === 'gate' && !wire.name.startsWith('#') && !connections.some(({ to }) => to === endOf(wire));
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

/** Aligns columns with figure spaces, which are as wide as digits and do not collapse. */
function textOf(values: Values): string[] {
  const lines = linesOf(values, DETAIL);
  return isAbbreviated(values, DETAIL) ? lines : lines.map((line) => line.replaceAll(' ', '\u2007'));
}
